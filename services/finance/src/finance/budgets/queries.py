"""Budgets, and what was spent beside them."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import text

from finance.budgets.rules import BudgetNotFound
from shared.paging import page_of
from shared.transaction import Tx


def budget(tx: Tx, budget_id: UUID) -> dict[str, Any]:
    """A budget with its newest movements. Raises BudgetNotFound."""
    found = tx.conn.execute(text("select * from budgets where budget_id = :id"), {"id": budget_id})
    row = found.mappings().one_or_none()
    if row is None or not tx.actor.may_see(row["branch_id"]):
        raise BudgetNotFound("no such budget")
    moved = tx.conn.execute(
        text("select * from budget_movements where budget_id = :id order by id desc limit 200"),
        {"id": budget_id},
    ).mappings()
    return {**_available(dict(row)), "movements": [dict(each) for each in moved]}


def budgets(tx: Tx, args: Mapping[str, Any]) -> dict[str, Any]:
    """Budgets that cover a day, by id."""
    found = page_of(
        tx.conn,
        "select * from budgets",
        {
            "branch_id = any(:branches)": tx.actor.branch_filter(args["branch_id"]),
            "cast(:day as date) between first_day and last_day": args["day"],
        },
        {"budget_id": UUID},
        args,
    )
    return {**found, "items": [_available(row) for row in found["items"]]}


def _available(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, "available_fen": row["amount_fen"] - row["reserved_fen"] - row["actual_fen"]}
