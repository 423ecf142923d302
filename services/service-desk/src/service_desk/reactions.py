"""Which events of others change what: one function per type, given all of a batch at once."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

from service_desk import projections
from shared.events import Envelope
from shared.refilling import Projection, refilled
from shared.transaction import Tx

REACTIONS: Mapping[str, Callable[[Tx, Sequence[Envelope]], None]] = {
    "finance.sale.posted.v1": projections.on_sale_posted,
    "customers.customer.registered.v1": projections.on_customer_registered,
    "returns.return.refused.v1": projections.on_return_refused,
    "returns.return.settled.v1": projections.on_return_settled,
}
SOURCES = ("customers", "finance", "returns")


WITHDRAW = refilled(
    {
        "finance": Projection(
            tables=["known_sales"], reactions={"finance.sale.posted.v1": projections.on_sale_posted}
        ),
        "customers": Projection(
            tables=["known_customers"],
            reactions={"customers.customer.registered.v1": projections.on_customer_registered},
        ),
        "returns": Projection(
            tables=["return_outcomes"],
            reactions={
                "returns.return.refused.v1": projections.on_return_refused,
                "returns.return.settled.v1": projections.on_return_settled,
            },
        ),
    }
)
"""The service desk keeps copies only: all of a source's are made anew when its log lost events."""


def handle(tx: Tx, envelopes: Sequence[Envelope]) -> None:
    """Apply a batch: each type in one statement. Types of no interest are passed over."""
    by_type: defaultdict[str, list[Envelope]] = defaultdict(list)
    for envelope in envelopes:
        if envelope.type in REACTIONS:
            by_type[envelope.type].append(envelope)
    for event_type, reaction in REACTIONS.items():
        if event_type in by_type:
            reaction(tx, by_type[event_type])
