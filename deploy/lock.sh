#!/usr/bin/env bash
# Write the locks: exact versions and hashes, no addresses.
#   requirements.lock         everything: services, tests, tools, demonstration
#   deploy/requirements.lock  the part an image of a service needs, with the same versions
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
services=(shared/pyproject.toml services/*/pyproject.toml)
options=(--quiet --universal --generate-hashes --no-header --no-annotate
         --python-version 3.11)
for ours in shared customers finance service-desk returns reporting embedded; do
  options+=(--no-emit-package "apotheca-$ours")
done
uv pip compile "${options[@]}" "$@" pyproject.toml --group dev --group demo "${services[@]}" deploy/embedded/pyproject.toml \
  --output-file requirements.lock
uv pip compile "${options[@]}" "${services[@]}" --constraints requirements.lock --output-file deploy/requirements.lock
