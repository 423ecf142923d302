"""What is told of sales."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, NotRequired, TypedDict

import orjson
from msgspec import Meta

from finance.kernel.codes import TRACE_CODES_MAX, LongGtin, TraceCode
from finance.kernel.receipt import TENDERS_MAX, Channel, Payment, ReceiptLine, TempClass, Tender
from finance.kernel.sale import Booked, PricedSale
from shared.texts import (
    LINES_MAX,
    AnyDay,
    BasisPoints,
    Branch,
    Day,
    Fen,
    Id,
    Instant,
    Lot,
    Name,
    Quantity,
    Reference,
    Staff,
    one_of,
)


def event_of(sale: Booked) -> bytes:
    """The JSON of finance.sale.posted."""
    return orjson.dumps(sale_posted(sale.priced, sale.sale_id, sale.line_ids))


SALE_POSTED = "finance.sale.posted.v1"
Channels = Annotated[str, one_of(Channel)]
TempClasses = Annotated[str, one_of(TempClass)]
Tenders = Annotated[str, one_of(Tender)]


class Review(TypedDict):
    """Which pharmacist reviewed the prescription of a line, and when. Its number is health data, and stays here."""

    reviewed_by: Staff
    reviewed_at: Instant


class SoldLine(TypedDict):
    """`cost_fen` is that of the whole line, without tax. `gtin`, `trace_codes` and `prescription` where the till told them."""

    line_id: Id
    product_id: Reference
    category: Name
    temp_class: TempClasses
    lot: Lot
    expiry: AnyDay
    quantity: Quantity
    net_fen: Fen
    tax_bp: BasisPoints
    tax_fen: Fen
    cost_fen: Fen
    gtin: NotRequired[LongGtin]
    trace_codes: NotRequired[Annotated[list[TraceCode], Meta(min_length=1, max_length=TRACE_CODES_MAX)]]
    prescription: NotRequired[Review]


class UsedTender(TypedDict):
    """`redemption_id` names the points that customers set aside, with the tender `points` alone. There may be several of one kind.

    `channel_transaction_id` is what the channel calls the payment, where the till told it.
    """

    tender: Tenders
    fen: Fen
    redemption_id: NotRequired[Id]
    channel_transaction_id: NotRequired[Reference]


class SalePosted(TypedDict):
    """Its day is the booking day, its amount the total. An anonymous sale has no customer.

    `cashier_id` (who sold, by the `sub` of their token) and `shift_id` where the till told them.
    """

    sale_id: Id
    receipt_number: Reference
    branch_id: Branch
    customer_id: Id | None
    channel: Channels
    business_date: Day
    sold_at: Instant
    lines: Annotated[list[SoldLine], Meta(min_length=1, max_length=LINES_MAX)]
    tenders: Annotated[list[UsedTender], Meta(max_length=TENDERS_MAX)]
    net_fen: Fen
    tax_fen: Fen
    total_fen: Fen
    cost_fen: Fen
    cashier_id: NotRequired[Staff]
    shift_id: NotRequired[Reference]


PUBLISHED: Final[Mapping[str, type]] = {
    SALE_POSTED: SalePosted,
}


def sale_posted(priced: PricedSale, sale_id: str, line_ids: Sequence[str]) -> dict[str, Any]:
    """The data of finance.sale.posted; its day is the booking day, its amount the total in fen."""
    receipt = priced.receipt
    told: dict[str, Any] = {
        "sale_id": sale_id,
        "receipt_number": receipt.receipt_number,
        "branch_id": receipt.branch_id,
        "customer_id": receipt.customer_id,
        "channel": receipt.channel.value,
        "business_date": priced.business_date,
        "sold_at": receipt.sold_at,
        "lines": [
            _sold_line(*each)
            for each in zip(receipt.lines, line_ids, priced.line_net_fen, priced.line_tax_fen, strict=True)
        ],
        "tenders": [_used_tender(each) for each in receipt.tenders],
        "net_fen": priced.net_fen,
        "tax_fen": priced.tax_fen,
        "total_fen": priced.total_fen,
        "cost_fen": priced.cost_fen,
    }
    if receipt.cashier_id is not None:
        told["cashier_id"] = receipt.cashier_id
    if receipt.shift_id is not None:
        told["shift_id"] = receipt.shift_id
    return told


def _sold_line(line: ReceiptLine, line_id: str, net_fen: int, tax_fen: int) -> dict[str, Any]:
    told: dict[str, Any] = {
        "line_id": line_id,
        "product_id": line.product.id,
        "category": line.product.category,
        "temp_class": line.product.temp_class.value,
        "lot": line.lot,
        "expiry": line.expiry,
        "quantity": line.quantity,
        "net_fen": net_fen,
        "tax_bp": line.tax_bp,
        "tax_fen": tax_fen,
        "cost_fen": line.cost.fen,
    }
    if line.product.gtin is not None:
        told["gtin"] = line.product.gtin
    if line.trace_codes:
        told["trace_codes"] = line.trace_codes
    if line.prescription is not None:
        told["prescription"] = {
            "reviewed_by": line.prescription.reviewed_by,
            "reviewed_at": line.prescription.reviewed_at,
        }
    return told


def _used_tender(payment: Payment) -> dict[str, Any]:
    told: dict[str, Any] = {"tender": payment.tender.value, "fen": payment.amount.fen}
    if payment.redemption_id is not None:
        told["redemption_id"] = payment.redemption_id
    if payment.channel_transaction_id is not None:
        told["channel_transaction_id"] = payment.channel_transaction_id
    return told
