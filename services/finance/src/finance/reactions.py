"""What other services' facts make finance do. Any order and any repetition leave the same books.

Source: F22, model 3.2 (Refund)
"""

from finance import exposure, permissions, points, stops
from finance.refunds import verification
from shared.consumer import Reaction, SetReaction
from shared.refilling import Projection, each, refilled

SETS: dict[str, SetReaction] = {
    "customers.permission.changed.v1": permissions.on_changed,
    "customers.points.earned.v1": points.on_moved,
    "customers.points.taken_back.v1": points.on_moved,
    "customers.points.expired.v1": points.on_moved,
    "customers.points.redeemed.v1": points.on_redeemed,
    "customers.points.restored.v1": points.on_restored,
}
"""Facts that come by the thousand: all of a batch at once."""

REACTIONS: dict[str, Reaction] = {
    "returns.return.settled.v1": verification.on_return_settled,
    "returns.return.received.v1": verification.on_goods_received,
    "customers.credit.changed.v1": exposure.on_credit_changed,
    "returns.stop_sale.ordered.v1": stops.on_ordered,
    "returns.stop_sale.lifted.v1": stops.on_lifted,
}

WITHDRAW = refilled(
    {
        "customers": Projection(
            tables=["trade_permission_versions", "trade_permissions", "credit_limits"],
            reactions={
                "customers.permission.changed.v1": permissions.on_changed,
                "customers.credit.changed.v1": each(exposure.on_credit_changed),
            },
        ),
        "returns": Projection(
            tables=["stopped_lots"],
            reactions={
                "returns.stop_sale.ordered.v1": each(stops.on_ordered),
                "returns.stop_sale.lifted.v1": each(stops.on_lifted),
            },
        ),
    }
)
"""Permissions, credit and stops are copies, made anew when their log lost events. What was booked stays booked."""
