"""Shipment of an order by lot: the sale, its debt and its entry are written with it.

Source: F10, F24, F27, G15, I34, X11
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from msgspec import Struct
from sqlalchemy import insert, select, update

from finance import contracts, sold
from finance.kernel.receipt import Amount, Channel, Paid, Payment, Price, Receipt, ReceiptLine, Tender
from finance.kernel.sale import Booked
from finance.orders import events
from finance.orders.commands import judging
from finance.orders.commands.ordering import locked
from finance.orders.rules import (
    Line,
    LotNotOrdered,
    NamedLot,
    ShipmentExceedsOrder,
    ShipmentLineUnknown,
    ShippedByConfirmer,
    TraceCodesInvalid,
    state_of,
)
from finance.orders.tables import order_lines, orders, revisions, shipment_lines, shipments
from finance.sales import Granted, ReceiptNumberReused, post_sale
from shared import audit, outbox
from shared.clock import business_date, new_id
from shared.languages import Text
from shared.lots import canonical
from shared.transaction import Tx

Lines = Mapping[int, tuple[Line, int]]


class Parcel(Struct, frozen=True):
    """Units of one lot for one line; `cost_fen` is that of all of them, without tax."""

    line_no: int
    lot: str
    expiry: date
    quantity: int
    cost_fen: int
    trace_codes: tuple[str, ...] = ()


def ship(tx: Tx, order_id: UUID, parcels: Sequence[Parcel]) -> UUID:
    """Send lots of a confirmed order; the permission of today, stopped and expired lots and the hold are asked again.

    The order's row is locked, so all shipments together never exceed what is ordered. Returns the shipment.
    Raises OrderNotFound, ForeignBranch, OrderNotReady, ShippedByConfirmer, ShipmentLineUnknown, ShipmentExceedsOrder,
    LotNotOrdered, TraceCodesInvalid, LotExpired, and the refusals of contracts.ship and of post_sale.
    """
    order = locked(tx, order_id, {"confirmed", "part_shipped"})
    _require_another(tx, order_id)
    confirmed = judging.confirmed_lines(tx, order_id)
    sent = _check(parcels, confirmed)
    total_fen = sum(each.quantity * confirmed[each.line_no][0].asked_fen for each in parcels)
    today = business_date(tx.now)
    judging.require_fresh(tx, {(confirmed[each.line_no][0].product.id, each.lot) for each in parcels}, today)
    _ship_contract(tx, order, sent, confirmed)
    no = order["shipments"] + 1
    receipt = _receipt(tx, order, _free_number(tx, order, no), parcels, confirmed, total_fen)
    terms = None if order["contract_id"] is None else contracts.terms_of(tx.conn, order["contract_id"])
    sale = post_sale(tx, receipt, granted=Granted(terms, order_id))
    if not isinstance(sale, Booked):
        raise ReceiptNumberReused("the branch used the shipment's number", sale_id=sale.sale_id)
    shipment_id = new_id()
    _write(tx, order, shipment_id, no, receipt, sale.sale_id, parcels, confirmed, total_fen)
    _move(tx, order, sent, confirmed)
    told: list[events.ShippedLine] = [
        {
            "line_no": each.line_no,
            "product_id": confirmed[each.line_no][0].product.id,
            "lot": each.lot,
            "expiry": each.expiry.isoformat(),
            "quantity": each.quantity,
            "on_time": today <= confirmed[each.line_no][0].deliver_on,
        }
        for each in parcels
    ]
    outbox.append(
        tx,
        events.shipment_sent(
            order,
            shipment_id=shipment_id,
            no=no,
            sale_id=sale.sale_id,
            lines=told,
            total_fen=total_fen,
            day=sale.booked_on,
        ),
    )
    audit.record(tx, "order.ship", str(order_id), after=[str(shipment_id), no, told])
    return shipment_id


def _require_another(tx: Tx, order_id: UUID) -> None:
    """Whoever confirmed any content of the order counts, not the first one alone. Raises ShippedByConfirmer."""
    confirmers = select(revisions.c.confirmed_by).where(revisions.c.order_id == order_id)
    if tx.actor.id in tx.conn.execute(confirmers).scalars().all():
        raise ShippedByConfirmer("who confirmed the order does not ship it")


def _free_number(tx: Tx, order: Mapping[str, Any], no: int) -> str:
    """The shipment's number; tills choose theirs freely, so one that stands where it belongs stops no delivery."""
    number = name = f"{order['number']}/{no}"
    again = 1
    while sold.record.find_receipt(tx.conn, order["branch_id"], number) is not None:
        again += 1
        number = f"{name}-{again}"
    return number


def _check(parcels: Sequence[Parcel], confirmed: Lines) -> dict[int, int]:
    """What is sent of each line."""
    sent: dict[int, int] = {}
    codes: set[str] = set()
    for index, each in enumerate(parcels):
        if each.line_no not in confirmed:
            raise ShipmentLineUnknown(
                Text("the order has no line {line_no}", line_no=each.line_no),
                errors=[{"path": f"lines.{index}.line_no", "message": "unknown"}],
            )
        named = confirmed[each.line_no][0].lots
        if named and _package(each) not in {_package(lot) for lot in named}:
            raise LotNotOrdered(
                Text("line {line_no} names its lots", line_no=each.line_no), lots=[lot.lot for lot in named]
            )
        if len(each.trace_codes) > each.quantity or codes & set(each.trace_codes):
            raise _codes(index)
        if len(set(each.trace_codes)) < len(each.trace_codes):
            raise _codes(index)
        codes |= set(each.trace_codes)
        sent[each.line_no] = sent.get(each.line_no, 0) + each.quantity
    over = [
        {"line_no": no, "left": confirmed[no][0].quantity - confirmed[no][1], "wanted": quantity}
        for no, quantity in sent.items()
        if quantity > confirmed[no][0].quantity - confirmed[no][1]
    ]
    if over:
        raise ShipmentExceedsOrder("more than is ordered and not shipped", lines=over)
    return sent


def _package(of: Parcel | NamedLot) -> tuple[str, date]:
    """What tells one lot from another, however it is spelled."""
    return canonical(of.lot), of.expiry


def _codes(index: int) -> TraceCodesInvalid:
    return TraceCodesInvalid(
        "at most one code a unit, each once",
        errors=[{"path": f"lines.{index}.trace_codes", "message": "too many, or twice"}],
    )


def _ship_contract(tx: Tx, order: Mapping[str, Any], sent: Mapping[int, int], confirmed: Lines) -> None:
    today = business_date(tx.now)
    for no, quantity in sorted(sent.items()):
        line = confirmed[no][0]
        if order["contract_id"] is not None and line.contract_line is not None:
            contracts.ship(tx, order["contract_id"], line.contract_line, quantity, line.asked_fen, today)


def _receipt(
    tx: Tx,
    order: Mapping[str, Any],
    number: str,
    parcels: Sequence[Parcel],
    confirmed: Lines,
    total_fen: int,
) -> Receipt:
    lines = []
    for each in parcels:
        line = confirmed[each.line_no][0]
        lines.append(
            ReceiptLine(
                product=line.product,
                lot=each.lot,
                expiry=each.expiry,
                quantity=each.quantity,
                unit_price=Price(line.unit_price_fen, "CNY"),
                tax_bp=line.tax_bp,
                cost=Amount(each.cost_fen, "CNY"),
                discount=Amount(each.quantity * line.unit_discount_fen, "CNY"),
            )
        )
    return Receipt(
        receipt_number=number,
        branch_id=order["branch_id"],
        channel=Channel.WHOLESALE,
        sold_at=tx.now,
        lines=lines,
        tenders=[Payment(Tender.CREDIT, Paid(total_fen, "CNY"))] if total_fen else [],
        customer_id=order["customer_id"],
    )


def _write(
    tx: Tx,
    order: Mapping[str, Any],
    shipment_id: UUID,
    no: int,
    receipt: Receipt,
    sale_id: str,
    parcels: Sequence[Parcel],
    confirmed: Lines,
    total_fen: int,
) -> None:
    tx.conn.execute(
        insert(shipments).values(
            shipment_id=shipment_id,
            order_id=order["order_id"],
            no=no,
            branch_id=order["branch_id"],
            sale_id=UUID(sale_id),
            receipt_number=receipt.receipt_number,
            sent_on=business_date(tx.now),
            sent_at=tx.now,
            sent_by=tx.actor.id,
            confirmed_at=order["confirmed_at"],
            total_fen=total_fen,
        )
    )
    tx.conn.execute(
        insert(shipment_lines),
        [
            {
                "shipment_id": shipment_id,
                "no": index,
                "order_line": each.line_no,
                "lot": each.lot,
                "expiry": each.expiry,
                "quantity": each.quantity,
                "unit_price_fen": confirmed[each.line_no][0].unit_price_fen,
                "unit_discount_fen": confirmed[each.line_no][0].unit_discount_fen,
                "tax_bp": confirmed[each.line_no][0].tax_bp,
                "cost_fen": each.cost_fen,
                "trace_codes": list(each.trace_codes),
            }
            for index, each in enumerate(parcels, 1)
        ],
    )


def _move(tx: Tx, order: Mapping[str, Any], sent: Mapping[int, int], confirmed: Lines) -> None:
    today = business_date(tx.now)
    after = {no: (line.quantity, shipped + sent.get(no, 0)) for no, (line, shipped) in confirmed.items()}
    for no in sent:
        ordered, shipped = after[no]
        tx.conn.execute(
            update(order_lines)
            .where(order_lines.c.order_id == order["order_id"], order_lines.c.no == no)
            .values(shipped_quantity=shipped, completed_on=today if ordered == shipped else None)
        )
    tx.conn.execute(
        update(orders)
        .where(orders.c.order_id == order["order_id"])
        .values(state=state_of(list(after.values())), shipments=orders.c.shipments + 1)
    )
