"""Lots that quality assurance took off sale: what is stopped is not sold, at the till or on an order.

A stop may be heard before or after it was lifted; lifted stays lifted. What was sold before the stop was ordered
is booked, however late it is uploaded, and named to quality assurance. However a lot is spelled, it is the same lot:
stops are kept by its canonical spelling, and refusals name it as it was written.
Source: G7, F27
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import Connection, text

from finance.kernel.receipt import Receipt
from finance.subscriptions import StopSaleLifted, StopSaleOrdered
from shared.errors import Conflict
from shared.events import Envelope
from shared.lots import canonical
from shared.transaction import Tx

Lot = tuple[str, str]
"""(product_id, lot)"""


ORDERED = "returns.stop_sale.ordered.v1"
LIFTED = "returns.stop_sale.lifted.v1"

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


class LotStopped(Conflict):
    """Quality assurance stopped the sale of a lot before this sale was made."""

    code = "lot_stopped"


def active(conn: Connection) -> dict[Lot, datetime]:
    """All lots whose sale is stopped now, in canonical spelling, with the instant of the first order."""
    return _since(conn, "", {})


def among(stopped: Mapping[Lot, datetime], receipt: Receipt) -> list[Lot]:
    """The lots of a receipt that were stopped before it was made, as they were written."""
    lots = {(line.product.id, line.lot) for line in receipt.lines}
    return [lot for lot in lots if (since := stopped.get(key_of(lot))) and since <= receipt.sold_at]


def key_of(lot: Lot) -> Lot:
    return lot[0], canonical(lot[1])


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


def refuse(lots: Collection[Lot]) -> None:
    """Raises LotStopped when there is any."""
    if lots:
        named = [{"product_id": product, "lot": lot} for product, lot in sorted(set(lots))]
        raise LotStopped("the sale of a lot is stopped", lots=named)


_KEEP = text(
    "insert into stopped_lots as kept (stop_sale_id, product_id, lot, ordered_at, lifted_at)"
    " select * from unnest(cast(:ids as uuid[]), cast(:products as text[]), cast(:lots as text[]),"
    " cast(:ordered as timestamptz[]), cast(:lifted as timestamptz[])) order by 1, 2, 3"
    " on conflict (stop_sale_id, product_id, lot) do update set"
    " ordered_at = coalesce(excluded.ordered_at, kept.ordered_at),"
    " lifted_at = coalesce(excluded.lifted_at, kept.lifted_at)"
)


def on_moved(tx: Tx, envelopes: Sequence[Envelope]) -> None:
    """Lots are off sale once ordered, unless the same stop was lifted already; another stop of a lot stands.

    Rows are written in key order, so that competing consumers wait for one another and never deadlock.
    """
    moved: dict[tuple[UUID, str, str], tuple[datetime | None, datetime | None]] = {}
    for envelope in envelopes:
        ordered_at = lifted_at = None
        event: StopSaleOrdered | StopSaleLifted
        if envelope.type == ORDERED:
            event = ordered = msgspec.convert(envelope.data, StopSaleOrdered)
            ordered_at = ordered.ordered_at
        else:
            event = lifted = msgspec.convert(envelope.data, StopSaleLifted)
            lifted_at = lifted.lifted_at
        for lot in _keys(event.lots):
            key = event.stop_sale_id, event.product_id, lot
            before = moved.get(key, (None, None))
            moved[key] = ordered_at or before[0], lifted_at or before[1]
    if moved:
        tx.conn.execute(
            _KEEP,
            {
                "ids": [each[0] for each in moved],
                "products": [each[1] for each in moved],
                "lots": [each[2] for each in moved],
                "ordered": [each[0] for each in moved.values()],
                "lifted": [each[1] for each in moved.values()],
            },
        )


def _keys(lots: Collection[str]) -> list[str]:
    """Each lot once: two spellings of one are one row."""
    return sorted({canonical(lot) for lot in lots})
