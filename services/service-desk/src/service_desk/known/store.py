"""A row per aggregate of others, replaced only by a newer version of it: any order and repetition give the same rows."""

from collections.abc import Iterable
from typing import Any

import orjson
from sqlalchemy import Subquery, Table, select
from sqlalchemy.dialects import postgresql

from service_desk.known import tables
from shared.transaction import Tx

_DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]


def keep_newest(tx: Tx, table: Table, rows: Iterable[dict[str, Any]]) -> None:
    """One insert for the batch. Rows are in key order, so that competing consumers wait in the same order."""
    key = next(iter(table.primary_key.columns)).name
    newest: dict[str, dict[str, Any]] = {}
    for row in rows:
        if row[key] not in newest or newest[row[key]]["version"] < row["version"]:
            newest[row[key]] = row
    if not newest:
        return
    names = list(next(iter(newest.values())))
    columns = ", ".join(names)
    typed = ", ".join(f"{name} {table.c[name].type.compile(_DIALECT)}" for name in names)
    replaced = ", ".join(f"{name} = excluded.{name}" for name in names if name != key)
    tx.conn.exec_driver_sql(
        f"insert into {table.name} ({columns})"
        f" select {columns} from jsonb_to_recordset(%s::jsonb) as given({typed})"
        f" on conflict ({key}) do update set {replaced} where {table.name}.version < excluded.version",
        (orjson.dumps([newest[each] for each in sorted(newest)]).decode(),),
    )


def sales() -> Subquery:
    """Sale, branch and lots of every sale heard of, as a query to join."""
    told = tables.known_sales.c
    return select(told.sale_id, told.branch_id, told.lots).subquery("sale")


def return_outcomes() -> Subquery:
    """What became of every return heard of, as a query to join."""
    told = tables.return_outcomes.c
    return select(told.return_id, told.branch_id, told.outcome, told.cause).subquery("outcome")
