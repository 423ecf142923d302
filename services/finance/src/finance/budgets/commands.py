"""Budgets: set and changed. What draws on them: finance.budget_control.

Source: F20, lesson I32
"""

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, text, update

from finance.budgets.rules import (
    BudgetBelowUse,
    BudgetDimensionInvalid,
    BudgetNotFound,
    BudgetOfPlan,
    BudgetOverlaps,
)
from finance.budgets.tables import budgets
from finance.expense_categories import categories_on
from shared import audit
from shared.clock import new_id
from shared.languages import Text
from shared.transaction import Tx


def add(tx: Tx, body: Mapping[str, Any]) -> UUID:
    """A budget of a branch (or one department of it) for a category, over some days.

    Raises ForeignBranch, BudgetDimensionInvalid, BudgetOverlaps.
    """
    tx.actor.require_branch(body["branch_id"])
    if body["last_day"] < body["first_day"]:
        raise BudgetDimensionInvalid(
            "a budget ends after it begins", errors=[{"path": "until", "message": "before `from`"}]
        )
    if body["category"] not in categories_on(body["last_day"]):
        raise BudgetDimensionInvalid(
            "no such category", errors=[{"path": "category", "message": "unknown on these days"}]
        )
    return open_budget(
        tx,
        branch_id=body["branch_id"],
        department=body["department"],
        category=body["category"],
        campaign="",
        first_day=body["first_day"],
        last_day=body["last_day"],
        amount_fen=body["amount"],
        overrun=body["overrun"],
    )


def open_budget(
    tx: Tx,
    *,
    branch_id: str,
    department: str,
    category: str,
    campaign: str,
    first_day: date,
    last_day: date,
    amount_fen: int,
    overrun: str,
) -> UUID:
    """The row every reservation locks. Raises BudgetOverlaps: one day of one dimension has one budget."""
    row = {
        "branch_id": branch_id,
        "department": department,
        "category": category,
        "campaign": campaign,
        "first_day": first_day,
        "last_day": last_day,
        "amount_fen": amount_fen,
        "overrun": overrun,
    }
    tx.conn.execute(
        text("select pg_advisory_xact_lock(hashtextextended(:dimension, 0))"),
        {"dimension": f"finance:budget:{branch_id}:{department}:{category}:{campaign}"},
    )
    overlapping = select(budgets.c.budget_id).where(
        budgets.c.branch_id == branch_id,
        budgets.c.department == department,
        budgets.c.category == category,
        budgets.c.campaign == campaign,
        budgets.c.first_day <= last_day,
        budgets.c.last_day >= first_day,
    )
    found = tx.conn.execute(overlapping.limit(1)).scalar_one_or_none()
    if found is not None:
        raise BudgetOverlaps("these days have a budget already", budget_id=str(found))
    budget_id = new_id()
    tx.conn.execute(insert(budgets).values(budget_id=budget_id, made_by=tx.actor.id, made_at=tx.now, **row))
    audit.record(tx, "budget.open", str(budget_id), after=row)
    return budget_id


def change(tx: Tx, budget_id: UUID, amount_fen: int, overrun: str) -> None:
    """A new amount, never below what is reserved and spent, of a budget that belongs to no plan.

    Raises BudgetNotFound, ForeignBranch, BudgetOfPlan, BudgetBelowUse.
    """
    row = (
        tx.conn.execute(select(budgets).where(budgets.c.budget_id == budget_id).with_for_update())
        .mappings()
        .one_or_none()
    )
    if row is None:
        raise BudgetNotFound("no such budget")
    tx.actor.require_branch(row["branch_id"])
    if row["campaign"]:
        raise BudgetOfPlan("the plan's budget was approved with the plan")
    used = row["reserved_fen"] + row["actual_fen"]
    if amount_fen < used:
        raise BudgetBelowUse(Text("{used} fen are reserved or spent", used=used), used_fen=used)
    tx.conn.execute(
        update(budgets).where(budgets.c.budget_id == budget_id).values(amount_fen=amount_fen, overrun=overrun)
    )
    audit.record(
        tx,
        "budget.change",
        str(budget_id),
        before=[row["amount_fen"], row["overrun"]],
        after=[amount_fen, overrun],
    )
