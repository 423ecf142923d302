"""The facts finance publishes, one builder each; ids and numbers only, never personal data."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Any, Final, NotRequired, TypedDict

from msgspec import Meta

from finance.domain.sale import PricedSale
from finance.kernel.receipt import Channel, TempClass, Tender
from shared.events import Event
from shared.texts import (
    LINES_MAX,
    AnyDay,
    BasisPoints,
    Branch,
    Count,
    Day,
    Fen,
    Id,
    Instant,
    Lot,
    Month,
    Name,
    Quantity,
    Reference,
    one_of,
)

SALE_POSTED = "finance.sale.posted.v1"
PERIOD_CLOSED = "finance.period.closed.v1"
PERIOD_LOCKED = "finance.period.locked.v1"
PERIOD_REOPENED = "finance.period.reopened.v1"
RECEIVABLE_SETTLED = "finance.receivable.settled.v1"
Channels = Annotated[str, one_of(Channel)]
TempClasses = Annotated[str, one_of(TempClass)]
Tenders = Annotated[str, one_of(Tender)]


class SoldLine(TypedDict):
    """`cost_fen` is that of the whole line, without tax."""

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


class UsedTender(TypedDict):
    """`redemption_id` names the points that customers set aside, with the tender `points` alone."""

    tender: Tenders
    fen: Fen
    redemption_id: NotRequired[Id]


class SalePosted(TypedDict):
    """Its day is the booking day, its amount the total. An anonymous sale has no customer."""

    sale_id: Id
    receipt_number: Reference
    branch_id: Branch
    customer_id: Id | None
    channel: Channels
    business_date: Day
    sold_at: Instant
    lines: Annotated[list[SoldLine], Meta(min_length=1, max_length=LINES_MAX)]
    tenders: Annotated[list[UsedTender], Meta(max_length=len(Tender))]
    net_fen: Fen
    tax_fen: Fen
    total_fen: Fen
    cost_fen: Fen


class Period(TypedDict):
    book: Name
    month: Month


class ReceivableSettled(TypedDict):
    """A debt was paid to the last fen; `days_late` is 0 when it was paid by its due day."""

    item_id: Id
    customer_id: Id
    branch_id: Branch
    amount_fen: Fen
    due_on: Day
    settled_on: Day
    days_late: Count


PUBLISHED: Final[Mapping[str, type]] = {
    SALE_POSTED: SalePosted,
    PERIOD_CLOSED: Period,
    PERIOD_LOCKED: Period,
    PERIOD_REOPENED: Period,
    RECEIVABLE_SETTLED: ReceivableSettled,
}


def sale_posted(priced: PricedSale, sale_id: str, line_ids: Sequence[str]) -> dict[str, Any]:
    """The data of finance.sale.posted; its day is the booking day, its amount the total in fen."""
    receipt = priced.receipt
    return {
        "sale_id": sale_id,
        "receipt_number": receipt.receipt_number,
        "branch_id": receipt.branch_id,
        "customer_id": receipt.customer_id,
        "channel": receipt.channel.value,
        "business_date": priced.business_date,
        "sold_at": receipt.sold_at,
        "lines": [
            {
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
            for line, line_id, net_fen, tax_fen in zip(
                receipt.lines, line_ids, priced.line_net_fen, priced.line_tax_fen, strict=True
            )
        ],
        "tenders": [
            {"tender": each.tender.value, "fen": each.amount.fen}
            if each.redemption_id is None
            else {
                "tender": each.tender.value,
                "fen": each.amount.fen,
                "redemption_id": each.redemption_id,
            }
            for each in receipt.tenders
        ],
        "net_fen": priced.net_fen,
        "tax_fen": priced.tax_fen,
        "total_fen": priced.total_fen,
        "cost_fen": priced.cost_fen,
    }


def period_closed(*, book: str, month: str, version: int, day: date) -> Event[Period]:
    return _period(PERIOD_CLOSED, book, month, version, day)


def period_locked(*, book: str, month: str, version: int, day: date) -> Event[Period]:
    return _period(PERIOD_LOCKED, book, month, version, day)


def period_reopened(*, book: str, month: str, version: int, day: date) -> Event[Period]:
    return _period(PERIOD_REOPENED, book, month, version, day)


def _period(event_type: str, book: str, month: str, version: int, day: date) -> Event[Period]:
    return Event(
        type=event_type,
        subject=f"{book}:{month}",
        version=version,
        day=day,
        data={"book": book, "month": month},
    )


def receivable_settled(
    *,
    item_id: str,
    customer_id: str,
    branch_id: str,
    amount_fen: int,
    due_on: date,
    settled_on: date,
    version: int,
) -> Event[ReceivableSettled]:
    """A debt was paid to the last fen; `days_late` is 0 when it was paid by its due day."""
    return Event(
        type=RECEIVABLE_SETTLED,
        subject=item_id,
        version=version,
        day=settled_on,
        amount_fen=amount_fen,
        data={
            "item_id": item_id,
            "customer_id": customer_id,
            "branch_id": branch_id,
            "amount_fen": amount_fen,
            "due_on": due_on.isoformat(),
            "settled_on": settled_on.isoformat(),
            "days_late": max(0, (settled_on - due_on).days),
        },
    )
