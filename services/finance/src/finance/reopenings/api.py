"""HTTP: a closed month that is opened again."""

from typing import Any
from uuid import UUID

from finance import reopening
from finance.kernel.period import parse_month
from finance.reopenings import schemas
from finance.vouchers import READERS, ReasonBody
from shared.arguments import Blueprint
from shared.decisions import DecisionBody
from shared.transaction import Tx
from shared.web import admits, command, query

reopenings = Blueprint("reopenings", __name__, tag="bookkeeping")


@reopenings.post("/periods/<month>/reopenings")
@command
@admits("accountant", "finance_auditor", "finance_head", "unit_head")
@reopenings.arguments(ReasonBody)
@reopenings.response(201, schemas.ReopeningView)
def request_reopening(tx: Tx, body: dict[str, Any], month: str) -> dict[str, Any]:
    """Ask to open the last closed month again."""
    return reopening.request_reopening(tx, parse_month(month), body["reason"])


@reopenings.get("/reopenings")
@query
@admits(*READERS)
@reopenings.arguments(schemas.ReopeningsArgs, location="query")
@reopenings.response(200, schemas.ReopeningsPage)
def list_all_reopenings(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """Requests to re-open any month, for instance those that wait for a decision; oldest first."""
    return reopening.all_reopenings(tx, args)


@reopenings.get("/periods/<month>/reopenings")
@query
@admits(*READERS)
@reopenings.response(200, schemas.ReopeningsList)
def list_reopenings(tx: Tx, month: str) -> dict[str, Any]:
    """Every request to re-open a month."""
    return {"items": reopening.reopenings(tx, parse_month(month))}


@reopenings.post("/periods/<month>/reopenings/<uuid:reopening_id>/decisions")
@command
@admits(*sorted(reopening.REOPENERS))
@reopenings.arguments(DecisionBody)
@reopenings.response(200, schemas.ReopeningView)
def decide_reopening(tx: Tx, body: dict[str, Any], month: str, reopening_id: UUID) -> dict[str, Any]:
    """A finance head and management, neither of them who asked; the second approval opens the month."""
    return reopening.decide_reopening(tx, parse_month(month), reopening_id, **body)
