"""Shipment of an order by lot: the sale, its debt and its entry are written with it.

Source: F10, F24, F27, G15, I34, X11
"""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from finance import contract_sales, contracts, receipts
from finance.kernel.receipt import Amount, Channel, Paid, Payment, Price, Receipt, ReceiptLine, Tender
from finance.kernel.sale import Booked
from finance.orders import events, store
from finance.orders.commands import judging
from finance.orders.commands.ordering import locked
from finance.orders.model import Delivery, Parcel, Shipment
from finance.orders.rules import (
    Line,
    LotNotOrdered,
    NamedLot,
    ShipmentExceedsOrder,
    ShipmentLineUnknown,
    ShippedByConfirmer,
    TraceCodesInvalid,
)
from finance.sales import Granted, ReceiptNumberReused, post_sale
from shared import audit, outbox
from shared.clock import business_date, new_id
from shared.languages import Text
from shared.lots import canonical
from shared.transaction import Tx


def ship(tx: Tx, order_id: UUID, parcels: Sequence[Parcel]) -> UUID:
    """Send lots of a confirmed order; the permission of today, stopped and expired lots and the hold are asked again.

    The order's row is locked, so all shipments together never exceed what is ordered. Returns the shipment.
    Raises OrderNotFound, ForeignBranch, OrderNotReady, ShippedByConfirmer, ShipmentLineUnknown, ShipmentExceedsOrder,
    LotNotOrdered, TraceCodesInvalid, LotExpired, and the refusals of contracts.ship and of post_sale.
    """
    order = locked(tx, order_id, {"confirmed", "part_shipped"})
    if tx.actor.id in store.confirmers(tx, order_id):
        raise ShippedByConfirmer("who confirmed the order does not ship it")
    delivery = Delivery(order, store.confirmed_lines(tx, order_id), parcels)
    _check(delivery)
    today = business_date(tx.now)
    judging.require_fresh(tx, {(line.product.id, parcel.lot) for parcel, line in delivery.packed}, today)
    _ship_contract(tx, delivery)
    receipt = _receipt(tx, delivery, _free_number(tx, delivery))
    terms = None if order.contract_id is None else contracts.terms_of(tx.conn, order.contract_id)
    sale = post_sale(tx, receipt, granted=Granted(terms, order_id))
    if not isinstance(sale, Booked):
        raise ReceiptNumberReused("the branch used the shipment's number", sale_id=sale.sale_id)
    shipment = Shipment(
        shipment_id=new_id(),
        delivery=delivery,
        sale_id=sale.sale_id,
        receipt_number=receipt.receipt_number,
        sent_on=today,
        booked_on=sale.booked_on,
    )
    if order.contract_id is not None:
        contract_sales.add(tx, order.contract_id, UUID(sale.sale_id))
    store.add_shipment(tx, shipment)
    store.ship(tx, delivery)
    outbox.append(tx, events.shipment_sent(shipment))
    told = [str(shipment.shipment_id), delivery.no, events.shipped_lines(shipment)]
    audit.record(tx, "order.ship", str(order_id), after=told)
    return shipment.shipment_id


def _free_number(tx: Tx, delivery: Delivery) -> str:
    """The shipment's number; tills choose theirs freely, so one that stands where it belongs stops no delivery."""
    order = delivery.order
    number = name = f"{order.number}/{delivery.no}"
    again = 1
    while receipts.find_receipt(tx.conn, order.branch_id, number) is not None:
        again += 1
        number = f"{name}-{again}"
    return number


def _check(delivery: Delivery) -> None:
    """Raises ShipmentLineUnknown, LotNotOrdered, TraceCodesInvalid, ShipmentExceedsOrder."""
    confirmed = delivery.confirmed
    codes: set[str] = set()
    for index, each in enumerate(delivery.parcels):
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
        fresh = set(each.trace_codes) - codes
        if len(each.trace_codes) > each.quantity or len(fresh) < len(each.trace_codes):
            raise TraceCodesInvalid(
                "at most one code a unit, each once",
                errors=[{"path": f"lines.{index}.trace_codes", "message": "too many, or twice"}],
            )
        codes |= fresh
    left = {no: line.quantity - shipped for no, (line, shipped) in confirmed.items()}
    over = [
        {"line_no": no, "left": left[no], "wanted": quantity}
        for no, quantity in delivery.sent.items()
        if quantity > left[no]
    ]
    if over:
        raise ShipmentExceedsOrder("more than is ordered and not shipped", lines=over)


def _package(of: Parcel | NamedLot) -> tuple[str, date]:
    """What tells one lot from another, however it is spelled."""
    return canonical(of.lot), of.expiry


def _ship_contract(tx: Tx, delivery: Delivery) -> None:
    contract_id, today = delivery.order.contract_id, business_date(tx.now)
    for no, quantity in sorted(delivery.sent.items()):
        line = delivery.confirmed[no][0]
        if contract_id is not None and line.contract_line is not None:
            contracts.ship(tx, contract_id, line.contract_line, quantity, line.asked_fen, today)


def _receipt(tx: Tx, delivery: Delivery, number: str) -> Receipt:
    total_fen = delivery.total_fen
    return Receipt(
        receipt_number=number,
        branch_id=delivery.order.branch_id,
        channel=Channel.WHOLESALE,
        sold_at=tx.now,
        lines=[_sold(parcel, line) for parcel, line in delivery.packed],
        tenders=[Payment(Tender.CREDIT, Paid(total_fen, "CNY"))] if total_fen else [],
        customer_id=delivery.order.customer_id,
    )


def _sold(parcel: Parcel, line: Line) -> ReceiptLine:
    return ReceiptLine(
        product=line.product,
        lot=parcel.lot,
        expiry=parcel.expiry,
        quantity=parcel.quantity,
        unit_price=Price(line.unit_price_fen, "CNY"),
        tax_bp=line.tax_bp,
        cost=Amount(parcel.cost_fen, "CNY"),
        discount=Amount(parcel.quantity * line.unit_discount_fen, "CNY"),
    )
