"""What a budget allows. Pure; amounts are fen.

Source: F20, lesson I32
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from shared.errors import Conflict, Invalid, NotFound
from shared.languages import Text


class BudgetExceeded(Conflict):
    code = "budget_exceeded"
    cure = "Spend less, raise the budget, or ask for approval of the overrun."


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    budget_id: str
    amount_fen: int
    reserved_fen: int
    actual_fen: int
    overrun: str

    @property
    def available_fen(self) -> int:
        return self.amount_fen - self.reserved_fen - self.actual_fen


@dataclass(frozen=True, slots=True, kw_only=True)
class NewBudget:
    """A budget of a branch for some days, both included: for a category, or for a campaign, of one department or of all ('')."""

    branch_id: str
    department: str = ""
    category: str = ""
    campaign: str = ""
    first_day: date
    last_day: date
    amount_fen: int
    overrun: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Exceeded:
    """A budget that holds less than nothing, by how much, and for the how manieth time; '' is no dimension."""

    budget_id: UUID
    branch_id: str
    department: str
    category: str
    campaign: str
    amount_fen: int
    over_fen: int
    times: int


def overruns(budgets: Iterable[Budget], needs: Mapping[str, int]) -> dict[str, int]:
    """By how many fen each budget that an approval may exceed would be exceeded by its need.

    Raises BudgetExceeded when a budget that stops would be.
    """
    over: dict[str, int] = {}
    for budget in budgets:
        need = needs[budget.budget_id]
        excess = need - budget.available_fen
        if need <= 0 or excess <= 0:
            continue
        if budget.overrun == "stop":
            raise BudgetExceeded(
                Text(
                    "{available_fen} fen are available, {need} fen are needed",
                    available_fen=budget.available_fen,
                    need=need,
                ),
                budget_id=budget.budget_id,
                available_fen=budget.available_fen,
                needed_fen=need,
            )
        over[budget.budget_id] = excess
    return over


class BudgetNotFound(NotFound):
    code = "budget_not_found"
    cure = "Look it up in the list of budgets."


class BudgetOverlaps(Conflict):
    code = "budget_overlaps"
    cure = "Change the budget of these days instead, or choose others."


class BudgetDimensionInvalid(Invalid):
    code = "budget_dimension_invalid"
    cure = "Check days, category and branch of the budget."


class BudgetBelowUse(Conflict):
    """The new amount is less than what is reserved and spent."""

    code = "budget_below_use"
    cure = "Set the budget to at least what is reserved or spent."


class BudgetOfPlan(Conflict):
    """A plan's budget was approved by two persons; one of them does not change it."""

    code = "budget_of_plan"
    cure = "Change the promotion plan instead."
