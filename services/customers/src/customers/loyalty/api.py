"""Points over HTTP: a patient's ledger, and what a till asks before it posts a receipt that points pay."""

from typing import Any
from uuid import UUID

from customers import master
from customers.kernel.customer import CUSTOMER_READERS, NotAPatient
from customers.loyalty import commands, queries, rules, schemas
from shared.arguments import Blueprint
from shared.clock import business_date
from shared.paging import PageArgs
from shared.transaction import Tx
from shared.web import admits, command, query

LOTS_SHOWN_MAX = 200

customer_points = Blueprint("customer_points", __name__, url_prefix="/customers", tag="customers")


@customer_points.get("/<uuid:customer_id>/points")
@query
@admits(*CUSTOMER_READERS)
@customer_points.arguments(PageArgs, location="query")
@customer_points.response(200, schemas.PointsView)
def get_points(tx: Tx, args: dict[str, Any], customer_id: UUID) -> dict[str, Any]:
    """A patient's balance, the lots it is made of with their last days, and its entries, newest first."""
    customer = master.row_of(tx.conn, customer_id)
    tx.actor.require_branch(customer.branch_id)
    if customer.kind != "patient":
        raise NotAPatient("institutions earn no points")
    account = str(customer_id)
    lots = queries.point_lots(tx.conn, account)
    entries = queries.points_page(tx.conn, account, args)
    return {
        "customer_id": customer_id,
        "balance": rules.balance(lots),
        "usable": rules.usable(lots, business_date(tx.now)),
        "lots": [lot for lot in lots if lot.left][:LOTS_SHOWN_MAX],
        "entries": entries["items"],
        "next_cursor": entries["next_cursor"],
    }


TILLS = ("till", "cashier", "invoicing_clerk")

points = Blueprint("points", __name__, description="Points as a means of payment.")


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
