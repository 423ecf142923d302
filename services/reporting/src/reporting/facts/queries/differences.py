"""Where facts built anew differ from the live ones."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import date

from psycopg import sql

from reporting.facts.tables import FACT_TABLES, SCHEMA
from shared import postgres


def differences(url: str, through: Mapping[str, int], rebuilt_schema: str) -> list[str]:
    """Where counts or hashes per table, source and month differ, up to the number of each source in `through`."""
    with ThreadPoolExecutor(2) as pool:
        live, rebuilt = pool.map(lambda schema: _hashes(url, schema, through), (SCHEMA, rebuilt_schema))
    return [
        f"{table} {source} {month:%Y-%m}: {live.get(key, (0, 0))[0]} rows live,"
        f" {rebuilt.get(key, (0, 0))[0]} rebuilt"
        for key in sorted(live.keys() | rebuilt.keys())
        if live.get(key) != rebuilt.get(key)
        for table, source, month in [key]
    ]


def _hashes(
    url: str, schema: str, through: Mapping[str, int]
) -> dict[tuple[str, str, date], tuple[int, int]]:
    found: dict[tuple[str, str, date], tuple[int, int]] = {}
    with postgres.connect(url) as conn:
        for table in FACT_TABLES:
            # The sum of row hashes does not depend on the order of the rows.
            rows = conn.execute(
                sql.SQL(
                    "select t.source, date_trunc('month', t.day)::date, count(*),"
                    " sum(hashtextextended(t::text, 0)::numeric)::text from {} t"
                    " join unnest(%s::text[], %s::bigint[]) as upto(source, seq)"
                    " on t.source = upto.source and t.seq <= upto.seq group by 1, 2"
                ).format(sql.Identifier(schema, table.name)),
                (list(through), list(through.values())),
            )
            for source, month, count, total in rows:
                found[table.name, source, month] = (count, int(total))
    return found
