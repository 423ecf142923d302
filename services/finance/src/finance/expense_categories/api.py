"""HTTP of the categories of expense."""

from typing import Any

from finance.expense_categories import schemas
from finance.expense_categories.rules import categories_on
from shared.arguments import Blueprint
from shared.clock import business_date
from shared.identity import ROLES
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

BESIDE_A_POST = frozenset({"chief_accountant", "accounting_head", "supervision_member", "privacy_officer"})
MACHINES = frozenset({"till", "feed", "operator"})
STAFF = tuple(sorted(ROLES - BESIDE_A_POST - MACHINES))
"""Who has expenses: people, in the post they work in, not in an office that they hold beside it."""


@expense_categories.get("/expense-categories")
@query
@admits(*STAFF)
@expense_categories.response(200, schemas.ExpenseCategoriesView)
def list_categories(tx: Tx) -> dict[str, Any]:
    """What expenses are today, with the account of each category; staff claim those that are `claimable`."""
    return {"items": list(categories_on(business_date(tx.now)).values())}
