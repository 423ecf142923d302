"""Closed months and the events that come or go after the close: what was frozen stays as it is.

Stands after the facts in the order of areas: they are held by then, so a month is not closed while this looks.
Source: P2, architecture decision 5
"""

from collections.abc import Iterator, Sequence
from typing import Any

from reporting import facts
from reporting.months import store
from shared.clock import month_of
from shared.events import Envelope
from shared.service import LostEvent
from shared.transaction import Tx
from shared.wire import Received


def note_late_facts(tx: Tx, envelopes: Sequence[Envelope]) -> None:
    """A fact of a closed month becomes a revision of its ledgers, never a change of what was frozen."""
    closed = store.closed_of(tx, sorted({month_of(envelope.day) for envelope in envelopes}))
    late = [envelope for envelope in envelopes if month_of(envelope.day) in closed] if closed else []
    if late:
        store.add_revisions(tx, late)


def withdraw(
    tx: Tx, source: str, after: int, lost: Sequence[LostEvent], log: Iterator[Received]
) -> Iterator[dict[str, Any]]:
    """Take out the facts of events that their producer's log has lost, and tell what they were.

    One row per lost fact with what reporting knew of it, then the closed months that were frozen with any: what is
    frozen is never changed.
    """
    numbers = [each.seq for each in lost]
    gone = facts.take_out(tx, source, numbers)
    store.remove_revisions(tx, source, numbers)
    for each in gone:
        yield {
            "withdrawn_seq": each.seq,
            "type": each.type,
            "day": each.day,
            "branch_id": each.branch_id,
            "rows": each.rows,
        }
    for month in sorted(store.closed_of(tx, sorted({month_of(each.day) for each in gone}))):
        yield {"stays": "frozen month", "month": f"{month:%Y-%m}", "why": "what is frozen is never changed"}
