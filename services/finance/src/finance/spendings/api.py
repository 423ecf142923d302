"""HTTP of what was spent."""

from typing import Any

from finance import expense_categories
from finance.kernel.period import parse_month
from finance.spendings import queries, schemas
from shared.arguments import Blueprint
from shared.transaction import Tx
from shared.web import admits, query

spendings = Blueprint("spendings", __name__, tag="expenses")


@spendings.get("/spendings")
@query
@admits(*expense_categories.SPENDING_READERS)
@spendings.arguments(schemas.SpendingArgs, location="query")
@spendings.response(200, schemas.SpendingView)
def get_spending(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """What a month spent by branch and category as the ledger says, and what of it drew on no budget."""
    return {"items": queries.spending(tx, parse_month(args["month"]), args["branch_id"])}
