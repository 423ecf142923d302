"""HTTP: what a customer may still owe."""

from typing import Any
from uuid import UUID

from finance.credit import queries, schemas
from shared.arguments import Blueprint
from shared.transaction import Tx
from shared.web import admits, query

CREDIT_READERS = (
    "salesperson",
    "cashier",
    "invoicing_clerk",
    "store_manager",
    "business_head",
    "cs_manager",
    "accountant",
    "finance_auditor",
    "finance_head",
    "management",
)
credit = Blueprint("credit", __name__, description="What customers may owe, and lots off sale.")


@credit.get("/credit-exposures/<uuid:customer_id>")
@query
@admits(*CREDIT_READERS)
@credit.response(200, schemas.ExposureView)
def get_exposure(tx: Tx, customer_id: UUID) -> dict[str, Any]:
    """What a customer owes, what its orders hold, and what is left of its limit."""
    return queries.credit_of(tx, customer_id)
