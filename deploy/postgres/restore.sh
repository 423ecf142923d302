#!/bin/bash
# Restore one service's database from a dump on standard input, with the rights around it: restore.sh finance < finance.dump
# The database must be empty or away. One transaction: a dump that is broken leaves nothing behind.
set -euo pipefail
service=$1
run() { "$@" --username "${POSTGRES_USER:-postgres}"; }
tables=$(run psql --no-psqlrc --tuples-only --no-align --dbname "$service" \
  --command "select count(*) from pg_class where relkind in ('r', 'p') and relnamespace::regnamespace::text !~ '^(pg_|information_schema)'" 2>/dev/null || echo 0)
if [[ $tables != 0 ]]; then
  echo "restore: the database $service holds $tables tables; drop it first: dropdb --force $service" >&2
  exit 1
fi
"$(dirname "$(readlink -f "$0")")/rights.sh" "$service" # the roles that the dump names, and an empty database
run pg_restore --dbname "$service" --single-transaction --exit-on-error
"$(dirname "$(readlink -f "$0")")/rights.sh" "$service" # what the dump does not hold
echo "restored $service; now run its migrations, and: python -m shared.ops $service chains verify"
