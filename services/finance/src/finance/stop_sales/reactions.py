"""Keep which lots are off sale, in whichever order the facts come."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from finance.stop_sales import store
from finance.stop_sales.model import ORDERED, StopSaleLifted, StopSaleOrdered
from shared.consumer import SetReaction, in_sets
from shared.events import Envelope
from shared.lots import canonical
from shared.refilling import Projection
from shared.transaction import Tx


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
        store.keep(tx.conn, moved)


def _keys(lots: Collection[str]) -> list[str]:
    """Each lot once: two spellings of one are one row."""
    return sorted({canonical(lot) for lot in lots})


SETS: dict[str, SetReaction] = {
    "returns.stop_sale.ordered.v1": on_moved,
    "returns.stop_sale.lifted.v1": on_moved,
}
handle = in_sets(SETS)
COPIES = {"returns": Projection(tables=["stopped_lots"], reactions=SETS)}
"""Made anew when the source has lost the end of its log."""
