"""Budgets: set and changed. What draws on them: finance.budget_control.

Source: F20, lesson I32
"""

from dataclasses import asdict
from datetime import date
from uuid import UUID

from sqlalchemy import insert, select, text, update

from finance.budgets.rules import (
    BudgetBelowUse,
    BudgetDimensionInvalid,
    BudgetNotFound,
    BudgetOfPlan,
    BudgetOverlaps,
    NewBudget,
)
from finance.budgets.tables import budgets
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
    """The row every reservation locks. Raises BudgetOverlaps: one day of one dimension has one budget."""
    dimension = f"{budget.branch_id}:{budget.department}:{budget.category}:{budget.campaign}"
    tx.conn.execute(
        text("select pg_advisory_xact_lock(hashtextextended(:dimension, 0))"),
        {"dimension": f"finance:budget:{dimension}"},
    )
    overlapping = select(budgets.c.budget_id).where(
        budgets.c.branch_id == budget.branch_id,
        budgets.c.department == budget.department,
        budgets.c.category == budget.category,
        budgets.c.campaign == budget.campaign,
        budgets.c.first_day <= budget.last_day,
        budgets.c.last_day >= budget.first_day,
    )
    found = tx.conn.execute(overlapping.limit(1)).scalar_one_or_none()
    if found is not None:
        raise BudgetOverlaps("these days have a budget already", budget_id=str(found))
    budget_id = new_id()
    row = asdict(budget)
    tx.conn.execute(insert(budgets).values(budget_id=budget_id, made_by=tx.actor.id, made_at=tx.now, **row))
    audit.record(tx, "budget.open", str(budget_id), after=row)
    return budget_id


def change(tx: Tx, budget_id: UUID, amount_fen: int, overrun: str) -> None:
    """A new amount, never below what is reserved and spent, of a budget that belongs to no plan.

    Raises BudgetNotFound, ForeignBranch, BudgetOfPlan, BudgetBelowUse.
    """
    row = tx.conn.execute(
        select(budgets).where(budgets.c.budget_id == budget_id).with_for_update()
    ).one_or_none()
    if row is None:
        raise BudgetNotFound("no such budget")
    tx.actor.require_branch(row.branch_id)
    if row.campaign:
        raise BudgetOfPlan("the plan's budget was approved with the plan")
    used = row.reserved_fen + row.actual_fen
    if amount_fen < used:
        raise BudgetBelowUse(Text("{used} fen are reserved or spent", used=used), used_fen=used)
    tx.conn.execute(
        update(budgets).where(budgets.c.budget_id == budget_id).values(amount_fen=amount_fen, overrun=overrun)
    )
    audit.record(
        tx,
        "budget.change",
        str(budget_id),
        before=[row.amount_fen, row.overrun],
        after=[amount_fen, overrun],
    )
