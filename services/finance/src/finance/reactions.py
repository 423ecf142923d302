"""What other services' facts make finance do. Any order and any repetition leave the same books.

Source: F22, model 3.2 (Refund)
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from finance import exposure, permissions, points, stops
from finance.refunds import verification
from shared.consumer import SetReaction
from shared.refilling import Projection, refilled
from shared.service import LostEvent
from shared.transaction import Tx
from shared.wire import Received

SETS: dict[str, SetReaction] = {
    "customers.permission.changed.v1": permissions.on_changed,
    "customers.credit.changed.v1": exposure.on_credit_changed,
    stops.ORDERED: stops.on_moved,
    stops.LIFTED: stops.on_moved,
    "customers.points.earned.v1": points.on_moved,
    "customers.points.taken_back.v1": points.on_moved,
    "customers.points.expired.v1": points.on_moved,
    "customers.points.corrected.v1": points.on_moved,
    "customers.points.redeemed.v1": points.on_redeemed,
    "customers.points.restored.v1": points.on_restored,
    "returns.return.settled.v1": verification.on_returns_settled,
    "returns.return.received.v1": verification.on_goods_received,
}
"""All of a batch at once: each type in as many statements as one event of it takes."""

_REFILLED = refilled(
    {
        "customers": Projection(
            tables=["trade_permission_versions", "trade_permissions", "credit_limits"],
            reactions={
                "customers.permission.changed.v1": permissions.on_changed,
                "customers.credit.changed.v1": exposure.on_credit_changed,
            },
        ),
        "returns": Projection(
            tables=["stopped_lots"],
            reactions={
                stops.ORDERED: stops.on_moved,
                stops.LIFTED: stops.on_moved,
            },
        ),
    }
)
"""Permissions, credit and stops are copies, made anew when their log lost events."""


def withdraw(
    tx: Tx, source: str, after: int, lost: Sequence[LostEvent], log: Iterator[Received]
) -> Iterable[dict[str, Any]]:
    """Copies are filled anew, points are made good by entries of today."""
    yield from _REFILLED(tx, source, after, lost, log)
    if source == "customers":
        yield from points.withdraw(tx, lost)
