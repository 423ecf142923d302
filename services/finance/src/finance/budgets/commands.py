"""Budgets: set and changed. What draws on them: finance.budget_control.

Source: F20, lesson I32
"""

from dataclasses import asdict
from datetime import date
from uuid import UUID

from finance.budgets import store
from finance.budgets.rules import (
    BudgetBelowUse,
    BudgetDimensionInvalid,
    BudgetOfPlan,
    BudgetOverlaps,
    NewBudget,
)
from finance.expense_categories import categories_on
from shared import audit
from shared.clock import new_id
from shared.languages import Text
from shared.transaction import Tx


def add(tx: Tx, budget: NewBudget) -> UUID:
    """A budget of a branch (or one department of it) for a category, over some days.

    Raises ForeignBranch, BudgetDimensionInvalid, BudgetOverlaps.
    """
    tx.actor.require_branch(budget.branch_id)
    if budget.last_day < budget.first_day:
        raise BudgetDimensionInvalid(
            "a budget ends after it begins", errors=[{"path": "until", "message": "before `from`"}]
        )
    if budget.category not in categories_on(budget.last_day):
        raise BudgetDimensionInvalid(
            "no such category", errors=[{"path": "category", "message": "unknown on these days"}]
        )
    return _open(tx, budget)


def open_of_plan(
    tx: Tx, branch_id: str, campaign: str, first_day: date, last_day: date, amount_fen: int
) -> UUID:
    """The budget of a campaign's plan: it pays whatever is charged to the campaign, and stops at its amount.

    Raises BudgetOverlaps.
    """
    return _open(
        tx,
        NewBudget(
            branch_id=branch_id,
            campaign=campaign,
            first_day=first_day,
            last_day=last_day,
            amount_fen=amount_fen,
            overrun="stop",
        ),
    )


def _open(tx: Tx, budget: NewBudget) -> UUID:
    """Raises BudgetOverlaps: one day of one dimension has one budget."""
    store.hold_dimension(tx, budget)
    found = store.overlapping(tx, budget)
    if found is not None:
        raise BudgetOverlaps("these days have a budget already", budget_id=str(found))
    budget_id = new_id()
    store.add(tx, budget_id, budget)
    audit.record(tx, "budget.open", str(budget_id), after=asdict(budget))
    return budget_id


def change(tx: Tx, budget_id: UUID, amount_fen: int, overrun: str) -> None:
    """A new amount, never below what is reserved and spent, of a budget that belongs to no plan.

    Raises BudgetNotFound, ForeignBranch, BudgetOfPlan, BudgetBelowUse.
    """
    before = store.lock(tx, budget_id)
    tx.actor.require_branch(before.branch_id)
    if before.campaign:
        raise BudgetOfPlan("the plan's budget was approved with the plan")
    used = before.used_fen
    if amount_fen < used:
        raise BudgetBelowUse(Text("{used} fen are reserved or spent", used=used), used_fen=used)
    store.change(tx, budget_id, amount_fen, overrun)
    audit.record(
        tx,
        "budget.change",
        str(budget_id),
        before=[before.amount_fen, before.overrun],
        after=[amount_fen, overrun],
    )
