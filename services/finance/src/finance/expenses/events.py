"""The facts expenses publish; ids and numbers only."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from finance.expenses.rules import Item, cost_fen
from shared.events import Event

EXPENSE_AUDITED = "finance.expense.audited.v1"
EXPENSE_APPROVED = "finance.expense.approved.v1"
EXPENSE_PAID = "finance.expense.paid.v1"
BUDGET_EXCEEDED = "finance.budget.exceeded.v1"
PUBLISHED = (EXPENSE_AUDITED, EXPENSE_APPROVED, EXPENSE_PAID, BUDGET_EXCEEDED)


def _head(claim: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "claim_id": str(claim["claim_id"]),
        "branch_id": claim["branch_id"],
        "department": claim["department"] or None,
        "campaign": claim["campaign"] or None,
        "claimed_fen": claim["claimed_fen"],
    }


def expense_audited(claim: Mapping[str, Any], *, accepted_fen: int, hit: bool, day: date) -> Event:
    """What finance's audit left of a claim; `hit` says that it reduced or refused something (M28)."""
    return Event(
        type=EXPENSE_AUDITED,
        subject=str(claim["claim_id"]),
        version=1,
        day=day,
        amount_fen=accepted_fen,
        data={**_head(claim), "accepted_fen": accepted_fen, "hit": hit},
    )


def expense_approved(claim: Mapping[str, Any], items: Sequence[Item], *, day: date) -> Event:
    """Booked: what each category costs, without the tax that is deducted."""
    by_category: dict[str, int] = {}
    for item in items:
        by_category[item.category] = by_category.get(item.category, 0) + cost_fen(item)
    total = sum(item.counted_fen for item in items)
    return Event(
        type=EXPENSE_APPROVED,
        subject=str(claim["claim_id"]),
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


def expense_paid(claim: Mapping[str, Any], *, paid_from: str, day: date) -> Event:
    return Event(
        type=EXPENSE_PAID,
        subject=str(claim["claim_id"]),
        version=3,
        day=day,
        amount_fen=claim["accepted_fen"],
        data={
            "claim_id": str(claim["claim_id"]),
            "branch_id": claim["branch_id"],
            "paid_from": paid_from,
            "paid_fen": claim["accepted_fen"],
            "paid_on": day.isoformat(),
        },
    )


def budget_exceeded(budget: Mapping[str, Any], *, claim_id: UUID, day: date) -> Event:
    """An approval let a claim exceed the budget; `over_fen` is by how much it is exceeded now."""
    over = budget["reserved_fen"] + budget["actual_fen"] - budget["amount_fen"]
    return Event(
        type=BUDGET_EXCEEDED,
        subject=str(budget["budget_id"]),
        version=budget["exceeded"],
        day=day,
        amount_fen=over,
        data={
            "budget_id": str(budget["budget_id"]),
            "branch_id": budget["branch_id"],
            "department": budget["department"] or None,
            "category": budget["category"] or None,
            "campaign": budget["campaign"] or None,
            "claim_id": str(claim_id),
            "amount_fen": budget["amount_fen"],
            "over_fen": over,
        },
    )
