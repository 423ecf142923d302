#!/bin/sh
# The role of this container: web | relay | consumer | scheduler | migrate
set -eu
package=$(printf %s "$APOTHECA_SERVICE" | tr - _)
case ${1:-} in
  web | relay | consumer | scheduler | migrate) exec python -m shared.run "$package" "$@" ;;
  *) echo "entrypoint: the role must be web, relay, consumer, scheduler or migrate, not '${1:-}'" >&2; exit 2 ;;
esac
