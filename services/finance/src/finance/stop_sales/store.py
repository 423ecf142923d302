"""Which lots are off sale now."""

from collections.abc import Collection, Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, text

from finance.stop_sales.rules import Lot, key_of, refuse

OF_ONE_SALE = """
    select json_agg(json_build_array(y.product_id, y.lot))
    from json_to_recordset(%(lines)s::json) as y(product_id text, lot text, lot_key text), lateral (
        select 1 from stopped_lots x
        where x.product_id = y.product_id and x.lot = y.lot_key and x.lifted_at is null
            and x.ordered_at <= %(sold_at)s::timestamptz
        limit 1) z
    where exists (select from stopped_lots where lifted_at is null)
"""
"""A part of the sale's one statement: while nothing is off sale the lines are not even read, and each is one probe of
an index when thousands of lots are, which were never let back.
"""


STOPPED = """
    (select product_id, lot, min(ordered_at) as since from stopped_lots where lifted_at is null group by product_id, lot)
"""
"""SQL: what is off sale now, lots in canonical spelling, each since the first order that stands."""


def active(conn: Connection) -> dict[Lot, datetime]:
    """All lots whose sale is stopped now, in canonical spelling, with the instant of the first order."""
    return _since(conn, "", {})


def require_free(conn: Connection, lots: Collection[Lot], at: datetime) -> None:
    """Nothing of these lots was stopped at the instant `at`. Raises LotStopped, naming those that were."""
    wanted = sorted({key_of(lot) for lot in lots})
    stopped = _since(
        conn,
        "and (product_id, lot) in (select * from unnest(cast(:products as text[]), cast(:lots as text[])))",
        {"products": [product for product, _ in wanted], "lots": [lot for _, lot in wanted]},
    )
    refuse([lot for lot in lots if (since := stopped.get(key_of(lot))) and since <= at])


def _since(conn: Connection, condition: str, values: dict[str, list[str]]) -> dict[Lot, datetime]:
    rows = conn.execute(
        text(
            "select product_id, lot, min(ordered_at) as since from stopped_lots"
            f" where lifted_at is null {condition} group by product_id, lot"
        ),
        values,
    )
    return {(row.product_id, row.lot): row.since for row in rows}


_KEEP = text(
    "insert into stopped_lots as kept (stop_sale_id, product_id, lot, ordered_at, lifted_at)"
    " select * from unnest(cast(:ids as uuid[]), cast(:products as text[]), cast(:lots as text[]),"
    " cast(:ordered as timestamptz[]), cast(:lifted as timestamptz[])) order by 1, 2, 3"
    " on conflict (stop_sale_id, product_id, lot) do update set"
    " ordered_at = coalesce(excluded.ordered_at, kept.ordered_at),"
    " lifted_at = coalesce(excluded.lifted_at, kept.lifted_at)"
)


def keep(
    conn: Connection, moved: Mapping[tuple[UUID, str, str], tuple[datetime | None, datetime | None]]
) -> None:
    """When the stop of each lot, by stop, product and lot, was ordered and when lifted, as far as it is known."""
    conn.execute(
        _KEEP,
        {
            "ids": [each[0] for each in moved],
            "products": [each[1] for each in moved],
            "lots": [each[2] for each in moved],
            "ordered": [each[0] for each in moved.values()],
            "lifted": [each[1] for each in moved.values()],
        },
    )
