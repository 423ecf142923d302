"""Fill projections anew from a source's log after it lost its end: what lost events had put there is gone.

For copies of others' facts that are a function of their events alone. What commands or reactions made of them is
not touched: `ops … log accept` names it for people to decide.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from shared.consumer import SetReaction, in_sets
from shared.events import Envelope
from shared.service import LostEvent, Withdraw
from shared.transaction import Tx
from shared.wire import Received

BATCH_EVENTS = 1_000

_LEFT_OUT = text(
    "select seq from parked_events where source = :source and seq <= :after and state in ('parked', 'discarded')"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Projection:
    """The tables that hold nothing but what these events of one source say."""

    tables: Sequence[str]
    reactions: Mapping[str, SetReaction]


def refilled(projections: Mapping[str, Projection]) -> Withdraw:
    """A `Service.withdraw` that empties the source's projection and applies the log again, without what is parked."""

    def withdraw(
        tx: Tx, source: str, after: int, lost: Sequence[LostEvent], log: Iterator[Received]
    ) -> Iterator[dict[str, Any]]:
        projection = projections.get(source)
        if projection is None:
            return
        left_out = set(tx.conn.execute(_LEFT_OUT, {"source": source, "after": after}).scalars())
        for table in projection.tables:
            tx.conn.exec_driver_sql(f"delete from {table}")
        handle = in_sets(projection.reactions)
        batch: list[Envelope] = []
        for received in log:
            if not isinstance(received, Envelope) or received.seq in left_out:
                continue
            if received.type in projection.reactions:
                batch.append(received)
            if len(batch) == BATCH_EVENTS:
                handle(tx, batch)
                batch = []
        if batch:
            handle(tx, batch)
        yield {"filled_anew": list(projection.tables), "from_events_up_to": after}

    return withdraw
