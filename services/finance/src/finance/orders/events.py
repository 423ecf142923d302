"""The facts orders publish; ids and numbers only."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Final, TypedDict

from msgspec import Meta

from finance.kernel.receipt import TempClass
from finance.orders.model import Order, Proposed, Shipment
from shared.events import Event
from shared.texts import (
    LINES_MAX,
    AnyDay,
    BasisPoints,
    Branch,
    Day,
    Fen,
    Id,
    Lot,
    Name,
    No,
    Quantity,
    Reference,
    Version,
    one_of,
)

ORDER_CONFIRMED = "finance.order.confirmed.v1"
ORDER_CHANGED = "finance.order.changed.v1"
ORDER_CANCELLED = "finance.order.cancelled.v1"
ORDER_CLOSED = "finance.order.closed.v1"
SHIPMENT_SENT = "finance.shipment.sent.v1"


class OfOrder(TypedDict):
    order_id: Id
    number: Reference
    branch_id: Branch
    customer_id: Id
    contract_id: Id | None


class OrderedLine(TypedDict):
    """`asked_fen` is the price of one unit, with tax."""

    no: No
    product_id: Reference
    category: Name
    temp_class: Annotated[str, one_of(TempClass)]
    quantity: Quantity
    asked_fen: Fen
    tax_bp: BasisPoints
    deliver_on: Day


class OrderConfirmed(OfOrder):
    """The whole content that the order has from now on; `confirmed` also tells a re-opening."""

    version: Version
    permission_version: Version
    confirmed_on: Day
    lines: Annotated[list[OrderedLine], Meta(min_length=1, max_length=LINES_MAX)]
    total_fen: Fen


class OrderEnded(OfOrder):
    """Cancelled before anything was shipped, or closed with what was; `unshipped_fen` is given up."""

    ended_on: Day
    unshipped_fen: Fen


class ShippedLine(TypedDict):
    line_no: No
    product_id: Reference
    lot: Lot
    expiry: AnyDay
    quantity: Quantity
    on_time: bool


class ShipmentSent(OfOrder):
    """What left, lot by lot; `on_time` compares with the delivery day that the line asks for."""

    shipment_id: Id
    no: No
    sale_id: Id
    sent_on: Day
    lines: Annotated[list[ShippedLine], Meta(min_length=1, max_length=LINES_MAX)]
    total_fen: Fen


PUBLISHED: Final[Mapping[str, type]] = {
    ORDER_CONFIRMED: OrderConfirmed,
    ORDER_CHANGED: OrderConfirmed,
    ORDER_CANCELLED: OrderEnded,
    ORDER_CLOSED: OrderEnded,
    SHIPMENT_SENT: ShipmentSent,
}


def _head(order: Order) -> OfOrder:
    return {
        "order_id": str(order.order_id),
        "number": order.number,
        "branch_id": order.branch_id,
        "customer_id": str(order.customer_id),
        "contract_id": None if order.contract_id is None else str(order.contract_id),
    }


def order_confirmed(
    order: Proposed,
    *,
    permission_version: int,
    version: int,
    day: date,
    is_change: bool = False,
) -> Event[OrderConfirmed]:
    """The whole content that the order has from now on; `confirmed` also tells a re-opening."""
    total = sum(line.total_fen for line in order.proposal)
    return Event(
        type=ORDER_CHANGED if is_change else ORDER_CONFIRMED,
        subject=str(order.order_id),
        version=version,
        day=day,
        amount_fen=total,
        data={
            **_head(order),
            "version": order.version,
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
                for line in order.proposal
            ],
            "total_fen": total,
        },
    )


def order_ended(
    order: Order, state: str, *, unshipped_fen: int, version: int, day: date
) -> Event[OrderEnded]:
    """Cancelled before anything was shipped, or closed with what was; `unshipped_fen` is given up."""
    return Event(
        type=ORDER_CANCELLED if state == "cancelled" else ORDER_CLOSED,
        subject=str(order.order_id),
        version=version,
        day=day,
        amount_fen=unshipped_fen,
        data={**_head(order), "ended_on": day.isoformat(), "unshipped_fen": unshipped_fen},
    )


def shipment_sent(shipment: Shipment) -> Event[ShipmentSent]:
    """What left, lot by lot; `on_time` compares with the delivery day that the line asks for."""
    delivery = shipment.delivery
    return Event(
        type=SHIPMENT_SENT,
        subject=str(shipment.shipment_id),
        version=1,
        day=shipment.booked_on,
        amount_fen=delivery.total_fen,
        data={
            "shipment_id": str(shipment.shipment_id),
            **_head(delivery.order),
            "no": delivery.no,
            "sale_id": shipment.sale_id,
            "sent_on": shipment.booked_on.isoformat(),
            "lines": shipped_lines(shipment),
            "total_fen": delivery.total_fen,
        },
    )


def shipped_lines(shipment: Shipment) -> list[ShippedLine]:
    return [
        {
            "line_no": parcel.line_no,
            "product_id": line.product.id,
            "lot": parcel.lot,
            "expiry": parcel.expiry.isoformat(),
            "quantity": parcel.quantity,
            "on_time": shipment.sent_on <= line.deliver_on,
        }
        for parcel, line in shipment.delivery.packed
    ]
