"""What is told of debts."""

from collections.abc import Mapping
from datetime import date
from typing import Final, TypedDict
from uuid import UUID

from finance.allocations.rules import Match
from finance.open_items import Item
from shared.events import Event
from shared.texts import Branch, Count, Day, Fen, Id, Name, SumFen

RECEIVABLE_SETTLED = "finance.receivable.settled.v1"
RECEIVABLE_ALLOCATED = "finance.receivable.allocated.v1"


class ReceivableSettled(TypedDict):
    """A debt was paid to the last fen; `days_late` is 0 when it was paid by its due day."""

    item_id: Id
    customer_id: Id
    branch_id: Branch
    amount_fen: Fen
    due_on: Day
    settled_on: Day
    days_late: Count


class ReceivableAllocated(TypedDict):
    """So much of a credit was set against a debt; below 0 it was taken back, and `undoes` names what.

    `credit_kind` is that of the credit: payment, credit_note, write_off and the like.
    """

    allocation_id: Id
    credit_id: Id
    debt_id: Id
    customer_id: Id
    branch_id: Branch
    credit_kind: Name
    fen: SumFen
    allocated_on: Day
    undoes: Id | None


PUBLISHED: Final[Mapping[str, type]] = {
    RECEIVABLE_SETTLED: ReceivableSettled,
    RECEIVABLE_ALLOCATED: ReceivableAllocated,
}


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


def receivable_allocated(
    allocation_id: UUID, match: Match, credit: Item, on: date
) -> Event[ReceivableAllocated]:
    """Its day is the one on which the allocation takes effect."""
    return Event(
        type=RECEIVABLE_ALLOCATED,
        subject=str(allocation_id),
        version=1,
        day=on,
        amount_fen=abs(match.fen),
        data={
            "allocation_id": str(allocation_id),
            "credit_id": str(match.credit_id),
            "debt_id": str(match.debt_id),
            "customer_id": str(credit.customer_id),
            "branch_id": credit.branch_id,
            "credit_kind": credit.kind,
            "fen": match.fen,
            "allocated_on": on.isoformat(),
            "undoes": str(match.undoes) if match.undoes else None,
        },
    )
