#!/bin/bash
# Two roles and one database per service: <service> runs and owns nothing, <service>_owner migrates and owns everything;
# nobody else may even connect. Runs when the data volume is new, and again whenever somebody calls it: after a restore,
# or when a password file changed. Passwords come from secret files; the rights are in rights.sql.
set -euo pipefail
folder=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
services='customers finance service_desk returns reporting'
# An image's entry point may source this file: then the arguments are the server's own.
if [[ ${BASH_SOURCE[0]} == "$0" && $# -gt 0 ]]; then services=$*; fi
rights=/opt/apotheca/rights.sql
[[ -f $rights ]] || rights=$folder/../../shared/src/shared/rights.sql
secrets=${APOTHECA_SECRETS:-/run/secrets}
run() { psql --quiet --no-psqlrc --set ON_ERROR_STOP=1 --username "${POSTGRES_USER:-postgres}" "$@"; }
for service in $services; do
  run --dbname postgres --set service="$service" <<'SQL'
SELECT format('CREATE DATABASE %I', :'service') WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'service') \gexec
SQL
  PGOPTIONS="-c rights.service=$service" run --dbname "$service" --file "$rights"
  run --dbname postgres --set service="$service" --set owner="${service}_owner" \
    --set password="$(cat "$secrets/$service-database-password")" \
    --set owner_password="$(cat "$secrets/$service-owner-password")" <<'SQL'
ALTER ROLE :"service" PASSWORD :'password';
ALTER ROLE :"owner" PASSWORD :'owner_password';
SQL
done
run --dbname postgres --command 'REVOKE ALL ON DATABASE postgres FROM PUBLIC' --command 'REVOKE ALL ON DATABASE template1 FROM PUBLIC'
