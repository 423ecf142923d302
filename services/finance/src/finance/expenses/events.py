"""The facts expenses publish; ids and numbers only."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Final, TypedDict

from finance.expenses.rules import Claim, Item, cost_fen
from shared.events import Event
from shared.texts import Branch, Day, Fen, Id, Many, Name, Reference

EXPENSE_AUDITED = "finance.expense.audited.v1"
EXPENSE_APPROVED = "finance.expense.approved.v1"
EXPENSE_PAID = "finance.expense.paid.v1"


class OfClaim(TypedDict):
    claim_id: Id
    branch_id: Branch
    department: Name | None
    campaign: Reference | None
    claimed_fen: Fen


class ExpenseAudited(OfClaim):
    """What finance's audit left of a claim; `hit` says that it reduced or refused something."""

    accepted_fen: Fen
    hit: bool


class CategoryCost(TypedDict):
    category: Name
    cost_fen: Fen


class ExpenseApproved(OfClaim):
    """Booked: what each category costs, without the tax that is deducted."""

    accepted_fen: Fen
    booked_on: Day
    costs: Annotated[list[CategoryCost], Many]


class ExpensePaid(TypedDict):
    claim_id: Id
    branch_id: Branch
    paid_from: Name
    paid_fen: Fen
    paid_on: Day


PUBLISHED: Final[Mapping[str, type]] = {
    EXPENSE_AUDITED: ExpenseAudited,
    EXPENSE_APPROVED: ExpenseApproved,
    EXPENSE_PAID: ExpensePaid,
}


def _head(claim: Claim) -> OfClaim:
    return {
        "claim_id": str(claim.claim_id),
        "branch_id": claim.branch_id,
        "department": claim.department or None,
        "campaign": claim.campaign or None,
        "claimed_fen": claim.claimed_fen,
    }


def expense_audited(claim: Claim, *, accepted_fen: int, hit: bool, day: date) -> Event[ExpenseAudited]:
    """What finance's audit left of a claim; `hit` says that it reduced or refused something (M28)."""
    return Event(
        type=EXPENSE_AUDITED,
        subject=str(claim.claim_id),
        version=1,
        day=day,
        amount_fen=accepted_fen,
        data={**_head(claim), "accepted_fen": accepted_fen, "hit": hit},
    )


def expense_approved(claim: Claim, items: Sequence[Item], *, day: date) -> Event[ExpenseApproved]:
    """Booked: what each category costs, without the tax that is deducted."""
    by_category: dict[str, int] = {}
    for item in items:
        by_category[item.category] = by_category.get(item.category, 0) + cost_fen(item)
    total = sum(item.counted_fen for item in items)
    return Event(
        type=EXPENSE_APPROVED,
        subject=str(claim.claim_id),
        version=2,
        day=day,
        amount_fen=total,
        data={
            **_head(claim),
            "accepted_fen": total,
            "booked_on": day.isoformat(),
            "costs": [{"category": name, "cost_fen": fen} for name, fen in sorted(by_category.items())],
        },
    )


def expense_paid(claim: Claim, *, paid_fen: int, paid_from: str, day: date) -> Event[ExpensePaid]:
    return Event(
        type=EXPENSE_PAID,
        subject=str(claim.claim_id),
        version=3,
        day=day,
        amount_fen=paid_fen,
        data={
            "claim_id": str(claim.claim_id),
            "branch_id": claim.branch_id,
            "paid_from": paid_from,
            "paid_fen": paid_fen,
            "paid_on": day.isoformat(),
        },
    )
