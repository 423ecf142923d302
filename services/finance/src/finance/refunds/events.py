"""What is told of refunds: paid, or refused by their channel."""

from collections.abc import Mapping, Sequence
from datetime import date
from types import MappingProxyType
from typing import Annotated, Final, TypedDict

from msgspec import Meta

from finance.kernel.receipt import Tender
from finance.points import RestoredPoints
from finance.refund_amounts import ReturnedLine
from finance.refunds.rules import Kind
from shared.events import Event
from shared.texts import LINES_MAX, Branch, Day, Fen, Id, Lot, Name, Quantity, one_of

REFUND_FAILED = "finance.refund.failed.v1"
REFUND_PAID = "finance.refund.paid.v1"
REFUND_WITHDRAWN = "finance.refund.withdrawn.v1"

Dispositions = Annotated[str, one_of(("restock", "supplier_return", "destroy", "lab_hold"))]


class RefundFailed(TypedDict):
    """`fen` stays owed to the tender; `means` is how it was tried to be paid."""

    refund_id: Id
    return_id: Id
    sale_id: Id
    branch_id: Branch
    customer_id: Id | None
    tender: Annotated[str, one_of(Tender)]
    means: Name
    fen: Fen
    reason: Name
    failed_on: Day


class RefundedLine(TypedDict):
    sale_line_id: Id
    lot: Lot
    quantity: Quantity
    net_fen: Fen
    tax_fen: Fen
    cost_fen: Fen
    disposition: Dispositions


class RefundTender(RestoredPoints):
    tender: Annotated[str, one_of(Tender)]
    fen: Fen


class RefundPaid(TypedDict):
    """Its day is that of the last payment; the tenders are those of the sale that it goes back to.

    `kind` says whether goods were returned or the receipt was voided; `return_id` is then the void's own id.
    """

    refund_id: Id
    kind: Annotated[str, one_of(Kind)]
    return_id: Id
    sale_id: Id
    branch_id: Branch
    customer_id: Id | None
    business_date: Day
    lines: Annotated[list[RefundedLine], Meta(min_length=1, max_length=LINES_MAX)]
    tenders: Annotated[list[RefundTender], Meta(max_length=len(Tender))]
    total_fen: Fen


class RefundWithdrawn(TypedDict):
    """Nothing was paid of it and `fen` are owed no more: returns' log has lost the event that settled the return.

    Settled anew, the return is the same refund, owed anew.
    """

    refund_id: Id
    return_id: Id
    sale_id: Id
    branch_id: Branch
    customer_id: Id | None
    fen: Fen
    lost_event_id: Id
    withdrawn_on: Day


PUBLISHED: Final[Mapping[str, type]] = {
    REFUND_FAILED: RefundFailed,
    REFUND_PAID: RefundPaid,
    REFUND_WITHDRAWN: RefundWithdrawn,
}


def refund_failed(
    *,
    refund_id: str,
    return_id: str,
    sale_id: str,
    branch_id: str,
    customer_id: str | None,
    tender: str,
    means: str,
    fen: int,
    reason: str,
    failed_on: date,
    version: int,
) -> Event[RefundFailed]:
    """`amount_fen` is what stays owed to the tender."""
    return Event(
        type=REFUND_FAILED,
        subject=refund_id,
        version=version,
        day=failed_on,
        amount_fen=fen,
        data={
            "refund_id": refund_id,
            "return_id": return_id,
            "sale_id": sale_id,
            "branch_id": branch_id,
            "customer_id": customer_id,
            "tender": tender,
            "means": means,
            "fen": fen,
            "reason": reason,
            "failed_on": failed_on.isoformat(),
        },
    )


def refund_paid(
    *,
    refund_id: str,
    kind: str,
    return_id: str,
    sale_id: str,
    branch_id: str,
    customer_id: str | None,
    business_date: date,
    lines: Sequence[ReturnedLine],
    tenders: Sequence[tuple[str, int]],
    total_fen: int,
    version: int,
    restored: Mapping[str, RestoredPoints] = MappingProxyType({}),
) -> Event[RefundPaid]:
    """`tenders` are those of the sale that the refund goes back to, with fen; its day is that of the last payment.

    `restored` adds to the tender `points` the redemption and the whole points that come back of it.
    """
    return Event(
        type=REFUND_PAID,
        subject=refund_id,
        version=version,
        day=business_date,
        amount_fen=total_fen,
        data={
            "refund_id": refund_id,
            "kind": kind,
            "return_id": return_id,
            "sale_id": sale_id,
            "branch_id": branch_id,
            "customer_id": customer_id,
            "business_date": business_date.isoformat(),
            "lines": [
                {
                    "sale_line_id": line.sale_line_id,
                    "lot": line.lot,
                    "quantity": line.quantity,
                    "net_fen": line.net_fen,
                    "tax_fen": line.tax_fen,
                    "cost_fen": line.cost_fen,
                    "disposition": line.disposition,
                }
                for line in lines
            ],
            "tenders": [
                {"tender": tender, "fen": fen, **restored.get(tender, {})} for tender, fen in tenders
            ],
            "total_fen": total_fen,
        },
    )


def refund_withdrawn(
    *,
    refund_id: str,
    return_id: str,
    sale_id: str,
    branch_id: str,
    customer_id: str | None,
    fen: int,
    lost_event_id: str,
    withdrawn_on: date,
    version: int,
) -> Event[RefundWithdrawn]:
    """`amount_fen` is what is owed no more."""
    return Event(
        type=REFUND_WITHDRAWN,
        subject=refund_id,
        version=version,
        day=withdrawn_on,
        amount_fen=fen,
        data={
            "refund_id": refund_id,
            "return_id": return_id,
            "sale_id": sale_id,
            "branch_id": branch_id,
            "customer_id": customer_id,
            "fen": fen,
            "lost_event_id": lost_event_id,
            "withdrawn_on": withdrawn_on.isoformat(),
        },
    )
