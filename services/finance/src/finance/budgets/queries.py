"""Budgets, and what was spent beside them."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import text

from finance.budgets.rules import BudgetNotFound
from shared.paging import decode_cursor, page
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
    (after,) = decode_cursor(args["cursor"], UUID)
    rows = tx.conn.execute(
        text(
            "select * from budgets where (cast(:branches as text[]) is null or branch_id = any(:branches))"
            " and (cast(:day as date) is null or :day between first_day and last_day)"
            " and (cast(:after as uuid) is null or budget_id > cast(:after as uuid))"
            " order by budget_id limit :limit"
        ),
        {
            "branches": tx.actor.branch_filter(args["branch_id"]),
            "day": args["day"],
            "after": after,
            "limit": args["limit"] + 1,
        },
    ).mappings()
    return page((_available(dict(row)) for row in rows), args["limit"], "budget_id")


def _available(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, "available_fen": row["amount_fen"] - row["reserved_fen"] - row["actual_fen"]}
