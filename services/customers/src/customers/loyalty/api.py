"""Redemptions over HTTP: what a till asks before it posts a receipt that points pay."""

from typing import Any
from uuid import UUID

from customers.loyalty import commands, queries, schemas
from shared.arguments import Blueprint
from shared.transaction import Tx
from shared.web import admits, command, query

TILLS = ("till", "cashier", "invoicing_clerk")

points = Blueprint("points", __name__, url_prefix="/points", description="Points as a means of payment.")


@points.post("/redemptions")
@command
@admits(*TILLS)
@points.arguments(schemas.RedemptionBody)
@points.response(201, schemas.RedemptionView)
def redeem_points(tx: Tx, body: dict[str, Any]) -> dict[str, Any]:
    """Set points aside for a receipt; post the receipt with the tender `points` and the redemption's id."""
    return commands.redeem(tx, **body)


READERS = (*TILLS, "store_manager", "cs_agent", "cs_manager", "accountant")


@points.get("/redemptions")
@query
@admits(*READERS)
@points.arguments(schemas.RedemptionsArgs, location="query")
@points.response(200, schemas.RedemptionsPage)
def list_redemptions(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """Redemptions of a customer, a branch or a receipt, oldest day first."""
    return queries.redemptions(tx, args)


@points.get("/redemptions/<uuid:redemption_id>")
@query
@admits(*READERS)
@points.response(200, schemas.RedemptionView)
def get_redemption(tx: Tx, redemption_id: UUID) -> dict[str, Any]:
    """A redemption and what became of it."""
    return queries.redemption(tx, redemption_id)


@points.post("/redemptions/<uuid:redemption_id>/cancel")
@command
@admits(*TILLS)
@points.response(200, schemas.RedemptionView)
def cancel_redemption(tx: Tx, redemption_id: UUID) -> dict[str, Any]:
    """Give the points of an unused redemption back."""
    return commands.cancel(tx, redemption_id)
