"""The facts orders publish; ids and numbers only."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from finance.orders.rules import Line
from shared.events import Event

ORDER_CONFIRMED = "finance.order.confirmed.v1"
ORDER_CHANGED = "finance.order.changed.v1"
ORDER_CANCELLED = "finance.order.cancelled.v1"
ORDER_CLOSED = "finance.order.closed.v1"
SHIPMENT_SENT = "finance.shipment.sent.v1"
PUBLISHED = (ORDER_CONFIRMED, ORDER_CHANGED, ORDER_CANCELLED, ORDER_CLOSED, SHIPMENT_SENT)

Order = Mapping[str, Any]


def _head(order: Order) -> dict[str, Any]:
    return {
        "order_id": str(order["order_id"]),
        "number": order["number"],
        "branch_id": order["branch_id"],
        "customer_id": str(order["customer_id"]),
        "contract_id": None if order["contract_id"] is None else str(order["contract_id"]),
    }


def order_confirmed(
    order: Order,
    lines: Sequence[Line],
    *,
    permission_version: int,
    version: int,
    day: date,
    is_change: bool = False,
) -> Event:
    """The whole content that the order has from now on; `confirmed` also tells a re-opening."""
    total = sum(line.total_fen for line in lines)
    return Event(
        type=ORDER_CHANGED if is_change else ORDER_CONFIRMED,
        subject=str(order["order_id"]),
        version=version,
        day=day,
        amount_fen=total,
        data={
            **_head(order),
            "version": order["version"],
            "permission_version": permission_version,
            "confirmed_on": day.isoformat(),
            "lines": [
                {
                    "no": line.no,
                    "product_id": line.product.id,
                    "category": line.product.category,
                    "temp_class": line.product.temp_class.value,
                    "quantity": line.quantity,
                    "asked_fen": line.asked_fen,
                    "tax_bp": line.tax_bp,
                    "deliver_on": line.deliver_on.isoformat(),
                }
                for line in lines
            ],
            "total_fen": total,
        },
    )


def order_ended(order: Order, state: str, *, unshipped_fen: int, version: int, day: date) -> Event:
    """Cancelled before anything was shipped, or closed with what was; `unshipped_fen` is given up."""
    return Event(
        type=ORDER_CANCELLED if state == "cancelled" else ORDER_CLOSED,
        subject=str(order["order_id"]),
        version=version,
        day=day,
        amount_fen=unshipped_fen,
        data={**_head(order), "ended_on": day.isoformat(), "unshipped_fen": unshipped_fen},
    )


def shipment_sent(
    order: Order,
    *,
    shipment_id: UUID,
    no: int,
    sale_id: str,
    lines: Sequence[Mapping[str, Any]],
    total_fen: int,
    day: date,
) -> Event:
    """What left, lot by lot; `on_time` compares with the delivery day that the line asks for."""
    return Event(
        type=SHIPMENT_SENT,
        subject=str(shipment_id),
        version=1,
        day=day,
        amount_fen=total_fen,
        data={
            "shipment_id": str(shipment_id),
            **_head(order),
            "no": no,
            "sale_id": sale_id,
            "sent_on": day.isoformat(),
            "lines": [dict(line) for line in lines],
            "total_fen": total_fen,
        },
    )
