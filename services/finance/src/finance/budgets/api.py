"""HTTP of budgets."""

from typing import Any
from uuid import UUID

from finance import expense_categories
from finance.budgets import commands, queries, schemas
from finance.budgets.rules import NewBudget
from shared.arguments import Blueprint
from shared.transaction import Tx
from shared.web import admits, command, query

budgets = Blueprint("budgets", __name__, tag="expenses")


@budgets.post("/budgets")
@command
@admits("finance_head")
@budgets.arguments(schemas.BudgetBody)
@budgets.response(201, schemas.BudgetDetailView)
def add_budget(tx: Tx, body: dict[str, Any]) -> dict[str, Any]:
    """Set a budget; what has none may not be spent."""
    return queries.budget(tx, commands.add(tx, NewBudget(amount_fen=body.pop("amount"), **body)))


@budgets.get("/budgets")
@query
@admits(*expense_categories.SPENDING_READERS)
@budgets.arguments(schemas.BudgetsArgs, location="query")
@budgets.response(200, schemas.BudgetsPage)
def list_budgets(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """Budgets with what is reserved, spent and left."""
    return queries.budgets(tx, args)


@budgets.get("/budgets/<uuid:budget_id>")
@query
@admits(*expense_categories.SPENDING_READERS)
@budgets.response(200, schemas.BudgetDetailView)
def get_budget(tx: Tx, budget_id: UUID) -> dict[str, Any]:
    """One budget and its newest movements."""
    return queries.budget(tx, budget_id)


@budgets.post("/budgets/<uuid:budget_id>/change")
@command
@admits("finance_head")
@budgets.arguments(schemas.BudgetChangeBody)
@budgets.response(200, schemas.BudgetDetailView)
def change_budget(tx: Tx, body: dict[str, Any], budget_id: UUID) -> dict[str, Any]:
    """A new amount, or another answer to an overrun."""
    commands.change(tx, budget_id, body["amount"], body["overrun"])
    return queries.budget(tx, budget_id)
