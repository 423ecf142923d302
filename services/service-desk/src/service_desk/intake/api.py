"""Taking a matter in, over HTTP."""

from typing import Any

from service_desk import tickets
from service_desk.intake import commands, schemas
from service_desk.kernel.roles import STAFF
from shared.arguments import Blueprint
from shared.transaction import Tx
from shared.web import admits, command

intake = Blueprint("intake", __name__, url_prefix="/tickets", tag="tickets")


@intake.post("")
@command
@admits(*STAFF, "store_manager")
@intake.arguments(schemas.TicketBody)
@intake.response(201, tickets.TicketView)
def open_ticket(tx: Tx, body: dict[str, Any]) -> dict[str, Any]:
    """Take a matter in."""
    return tickets.get_ticket(tx, commands.open_ticket(tx, body))
