"""What a budget is and how it stands, told whenever that changes.

Source: F20 (M27)
"""

from collections.abc import Mapping
from datetime import date
from typing import Final, TypedDict

from finance.budgets.model import Told
from shared.events import Event
from shared.texts import Branch, Day, Fen, Id, Name, Reference, SumFen, Version

BUDGET_STANDING_CHANGED = "finance.budget_standing.changed.v1"


class BudgetStandingChanged(TypedDict):
    """A budget with what is reserved and spent of it; the one with the highest `budget_version` holds.

    `actual_fen` follows the ledger's debits less credits, so it may be below 0.
    """

    budget_id: Id
    budget_version: Version
    branch_id: Branch
    department: Name | None
    category: Name | None
    campaign: Reference | None
    first_day: Day
    last_day: Day
    amount_fen: Fen
    reserved_fen: Fen
    actual_fen: SumFen


PUBLISHED: Final[Mapping[str, type]] = {BUDGET_STANDING_CHANGED: BudgetStandingChanged}


def budget_standing_changed(told: Told, day: date) -> Event[BudgetStandingChanged]:
    """The budget as it stands now."""
    return Event(
        type=BUDGET_STANDING_CHANGED,
        subject=str(told.budget_id),
        version=told.version,
        day=day,
        amount_fen=told.amount_fen,
        data={
            "budget_id": str(told.budget_id),
            "budget_version": told.version,
            "branch_id": told.branch_id,
            "department": told.department or None,
            "category": told.category or None,
            "campaign": told.campaign or None,
            "first_day": told.first_day.isoformat(),
            "last_day": told.last_day.isoformat(),
            "amount_fen": told.amount_fen,
            "reserved_fen": told.reserved_fen,
            "actual_fen": told.actual_fen,
        },
    )
