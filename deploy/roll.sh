#!/usr/bin/env bash
# roll.sh <service>…: put new containers, with the image and settings of now, in the place of the running ones,
# without failing a request: the web processes get company first and go when that is healthy; the loops, which only
# lag meanwhile, are exchanged after that. Migrations run before; they must fit the old code too.
#   make roll ARGS="finance customers"
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
[[ $# -gt 0 ]] || { echo "roll.sh: name the services to roll, such as finance" >&2; exit 2; }

roll_web() { # roll_web <service>
  local web=$1-web old count
  old=$(docker compose ps --quiet "$web")
  count=$(wc -w <<<"$old")
  [[ $count -gt 0 ]] || { echo "roll.sh: $web does not run" >&2; return 1; }
  docker compose up --detach --no-deps --no-recreate --wait --wait-timeout 120 --scale "$web=$((2 * count))" "$web"
  # shellcheck disable=SC2086 # one word per container
  docker stop $old >/dev/null
  # shellcheck disable=SC2086
  docker rm $old >/dev/null
}

for service; do
  [[ ${APOTHECA_ROLL_BUILDS:-yes} == no ]] || docker compose build --quiet "$service-web"
  docker compose run --rm --no-deps "$service-migrate" migrate
  roll_web "$service"
  loops=()
  for role in relay consumer scheduler; do
    [[ -z $(docker compose ps --quiet "$service-$role") ]] || loops+=("$service-$role")
  done
  [[ ${#loops[@]} == 0 ]] || docker compose up --detach --no-deps "${loops[@]}"
done
