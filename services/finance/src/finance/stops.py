"""Lots that quality assurance took off sale: what is stopped is not sold, at the till or on an order.

A stop may be heard before or after it was lifted; lifted stays lifted. What was sold before the stop was ordered
is booked, however late it is uploaded, and named to quality assurance.
Source: G7, F27
"""

from collections.abc import Collection
from datetime import datetime

import msgspec
from sqlalchemy import Connection, text

from finance.subscriptions import StopSaleLifted, StopSaleOrdered
from shared.errors import Conflict
from shared.events import Envelope
from shared.transaction import Tx

Lot = tuple[str, str]
"""(product_id, lot)"""


class LotStopped(Conflict):
    """Quality assurance stopped the sale of a lot before this sale was made."""

    code = "lot_stopped"


def stopped(conn: Connection, lots: Collection[Lot]) -> dict[Lot, datetime]:
    """Those of the lots that are stopped now, with the instant of the first order."""
    if not lots:
        return {}
    wanted = sorted(set(lots))
    rows = conn.execute(
        text(
            "select s.product_id, s.lot, min(s.ordered_at) as since from stopped_lots s"
            " join unnest(cast(:products as text[]), cast(:lots as text[])) as x(product_id, lot)"
            " on x.product_id = s.product_id and x.lot = s.lot"
            " where s.lifted_at is null group by s.product_id, s.lot"
        ),
        {"products": [product for product, _ in wanted], "lots": [lot for _, lot in wanted]},
    )
    return {(row.product_id, row.lot): row.since for row in rows}


def require_free(conn: Connection, lots: Collection[Lot], at: datetime) -> None:
    """Nothing of these lots was stopped at the instant `at`. Raises LotStopped, naming those that were."""
    refuse([lot for lot, since in stopped(conn, lots).items() if since <= at])


def refuse(lots: Collection[Lot]) -> None:
    """Raises LotStopped when there is any."""
    if lots:
        named = [{"product_id": product, "lot": lot} for product, lot in sorted(lots)]
        raise LotStopped("the sale of a lot is stopped", lots=named)


def on_ordered(tx: Tx, envelope: Envelope) -> None:
    """The lots are off sale, unless the same stop was lifted already."""
    event = msgspec.convert(envelope.data, StopSaleOrdered)
    tx.conn.execute(
        text(
            "insert into stopped_lots (stop_sale_id, product_id, lot, ordered_at)"
            " select :id, :product, x, :at from unnest(cast(:lots as text[])) x order by x"
            " on conflict (stop_sale_id, product_id, lot) do update set ordered_at = excluded.ordered_at"
        ),
        {"id": event.stop_sale_id, "product": event.product_id, "lots": event.lots, "at": event.ordered_at},
    )


def on_lifted(tx: Tx, envelope: Envelope) -> None:
    """The stop ends; another stop of the same lot stands."""
    event = msgspec.convert(envelope.data, StopSaleLifted)
    tx.conn.execute(
        text(
            "insert into stopped_lots (stop_sale_id, product_id, lot, lifted_at)"
            " select :id, :product, x, :at from unnest(cast(:lots as text[])) x order by x"
            " on conflict (stop_sale_id, product_id, lot) do update set lifted_at = excluded.lifted_at"
        ),
        {"id": event.stop_sale_id, "product": event.product_id, "lots": event.lots, "at": event.lifted_at},
    )
