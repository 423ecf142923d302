"""HTTP of the expiries of lots."""

from typing import Any

from finance.lots import commands, queries, schemas
from finance.lots.rules import Decided
from shared.arguments import Blueprint
from shared.transaction import Tx
from shared.web import admits, command, query

lots = Blueprint("lots", __name__, description="The expiry of each lot, and what contradicted it.")

READERS = (
    "qa",
    "purchaser",
    "pharmacist",
    "store_manager",
    "business_head",
    "accountant",
    "finance_auditor",
    "management",
)


@lots.get("/lot-expiries")
@query
@admits(*READERS)
@lots.arguments(schemas.LotExpiriesArgs, location="query")
@lots.response(200, schemas.LotExpiriesPage)
def list_lot_expiries(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """The expiry that holds of each lot, and what told it."""
    return queries.expiries(tx, args)


@lots.get("/lot-contradictions")
@query
@admits(*READERS)
@lots.arguments(schemas.LotContradictionsArgs, location="query")
@lots.response(200, schemas.LotContradictionsPage)
def list_lot_contradictions(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """Expiries that were refused because another holds, of the branches of the token."""
    return queries.contradictions(tx, args)


@lots.post("/lot-expiry-decisions")
@command
@admits("qa")
@lots.arguments(schemas.LotExpiryDecisionBody)
@lots.response(201, schemas.LotExpiryDecisionView)
def decide_lot_expiry(tx: Tx, body: dict[str, Any]) -> dict[str, Any]:
    """Say which expiry a lot has, by its package: it holds from now on, and settles what contradicted it."""
    return queries.decision(tx, commands.decide(tx, Decided(**body)))


@lots.get("/lot-expiry-decisions")
@query
@admits(*READERS)
@lots.arguments(schemas.LotArgs, location="query")
@lots.response(200, schemas.LotExpiryDecisionsPage)
def list_lot_expiry_decisions(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """What quality assurance decided of the expiries of lots."""
    return queries.decisions(tx, args)
