"""HTTP of the categories of expense."""

from typing import Any

from finance.expense_categories import schemas
from finance.expense_categories.rules import categories_on
from shared.arguments import Blueprint
from shared.clock import business_date
from shared.transaction import Tx
from shared.web import admits, query

expense_categories = Blueprint("expense_categories", __name__, tag="expenses")

SPENDING_READERS = (
    "business_head",
    "cs_manager",
    "store_manager",
    "unit_head",
    "accountant",
    "finance_auditor",
    "finance_head",
    "management",
)

STAFF = (
    "salesperson",
    "invoicing_clerk",
    "receiver",
    "inspector",
    "storekeeper",
    "business_head",
    "qa",
    "cs_agent",
    "cs_manager",
    "pharmacist",
    "cashier",
    "accountant",
    "finance_auditor",
    "finance_head",
    "store_manager",
    "purchaser",
    "management",
    "unit_head",
)


@expense_categories.get("/expense-categories")
@query
@admits(*STAFF)
@expense_categories.response(200, schemas.ExpenseCategoriesView)
def list_categories(tx: Tx) -> dict[str, Any]:
    """What expenses are today, with the account of each category; staff claim those that are `claimable`."""
    return {"items": list(categories_on(business_date(tx.now)).values())}
