"""Tickets and notices to superiors over HTTP; who may do what to which ticket is decided in the model."""

from typing import Any
from uuid import UUID

from service_desk.kernel import fields
from service_desk.kernel.roles import READERS, STAFF
from service_desk.tickets import commands, queries, schemas
from shared.arguments import Blueprint
from shared.transaction import Tx
from shared.web import admits, command, query

tickets = Blueprint("tickets", __name__, url_prefix="/tickets", description="Tickets and their clocks.")
escalations = Blueprint(
    "escalations", __name__, url_prefix="/escalations", description="Notices to superiors."
)


@tickets.get("")
@query
@admits(*READERS)
@tickets.arguments(schemas.TicketFilters, location="query")
@tickets.response(200, schemas.TicketPage)
def list_tickets(tx: Tx, filters: dict[str, Any]) -> dict[str, Any]:
    """List tickets, newest first."""
    return queries.list_tickets(tx, filters)


@tickets.get("/<uuid:ticket_id>")
@query
@admits(*READERS)
@tickets.response(200, schemas.TicketView)
def get_ticket(tx: Tx, ticket_id: UUID) -> dict[str, Any]:
    """Read a ticket with its clocks and history."""
    return queries.get_ticket(tx, ticket_id)


@tickets.post("/<uuid:ticket_id>/acknowledge")
@command
@admits(*STAFF)
@tickets.response(200, schemas.TicketView)
def acknowledge_ticket(tx: Tx, ticket_id: UUID) -> dict[str, Any]:
    """Say that somebody has seen it."""
    commands.acknowledge_ticket(tx, ticket_id)
    return queries.get_ticket(tx, ticket_id)


@tickets.post("/<uuid:ticket_id>/assign")
@command
@admits("cs_manager", "qa")
@tickets.arguments(schemas.AssignBody)
@tickets.response(200, schemas.TicketView)
def assign_ticket(tx: Tx, body: dict[str, Any], ticket_id: UUID) -> dict[str, Any]:
    """Give it to a handler."""
    commands.assign_ticket(tx, ticket_id, **body)
    return queries.get_ticket(tx, ticket_id)


@tickets.post("/<uuid:ticket_id>/contacts")
@command
@admits(*STAFF)
@tickets.arguments(schemas.ContactBody)
@tickets.response(200, schemas.TicketView)
def contact_customer(tx: Tx, body: dict[str, Any], ticket_id: UUID) -> dict[str, Any]:
    """Record an attempt to speak with the customer."""
    commands.contact_customer(tx, ticket_id, **body)
    return queries.get_ticket(tx, ticket_id)


@tickets.post("/<uuid:ticket_id>/propose")
@command
@admits(*STAFF)
@tickets.arguments(schemas.ProposeBody)
@tickets.response(200, schemas.TicketView)
def propose_solution(tx: Tx, body: dict[str, Any], ticket_id: UUID) -> dict[str, Any]:
    """Propose a solution to the customer."""
    commands.propose_solution(tx, ticket_id, **body)
    return queries.get_ticket(tx, ticket_id)


@tickets.post("/<uuid:ticket_id>/answer")
@command
@admits(*STAFF)
@tickets.arguments(schemas.CustomerAnswerBody)
@tickets.response(200, schemas.TicketView)
def record_answer(tx: Tx, body: dict[str, Any], ticket_id: UUID) -> dict[str, Any]:
    """Record that the customer accepted what was proposed, or why not."""
    commands.record_consent(tx, ticket_id, agreed=body["answer"] == schemas.ACCEPTED, reason=body["reason"])
    return queries.get_ticket(tx, ticket_id)


@tickets.post("/<uuid:ticket_id>/execute")
@command
@admits(*STAFF)
@tickets.response(200, schemas.TicketView)
def execute_solution(tx: Tx, ticket_id: UUID) -> dict[str, Any]:
    """Begin what was agreed."""
    commands.execute_solution(tx, ticket_id)
    return queries.get_ticket(tx, ticket_id)


@tickets.post("/<uuid:ticket_id>/resolve")
@command
@admits(*STAFF)
@tickets.arguments(schemas.ResolveBody)
@tickets.response(200, schemas.TicketView)
def resolve_ticket(tx: Tx, body: dict[str, Any], ticket_id: UUID) -> dict[str, Any]:
    """Say that it is solved, why it came about and whose fault it was."""
    commands.resolve_ticket(tx, ticket_id, **body)
    return queries.get_ticket(tx, ticket_id)


@tickets.post("/<uuid:ticket_id>/archive")
@command
@admits(*STAFF)
@tickets.arguments(schemas.ArchiveBody)
@tickets.response(200, schemas.TicketView)
def archive_ticket(tx: Tx, body: dict[str, Any], ticket_id: UUID) -> dict[str, Any]:
    """Close the file."""
    commands.archive_ticket(tx, ticket_id, **body)
    return queries.get_ticket(tx, ticket_id)


@tickets.post("/<uuid:ticket_id>/reopen")
@command
@admits("cs_manager")
@tickets.arguments(schemas.ReopenBody)
@tickets.response(200, schemas.TicketView)
def reopen_ticket(tx: Tx, body: dict[str, Any], ticket_id: UUID) -> dict[str, Any]:
    """Begin another cycle."""
    commands.reopen_ticket(tx, ticket_id, **body)
    return queries.get_ticket(tx, ticket_id)


@tickets.post("/<uuid:ticket_id>/returns")
@command
@admits(*STAFF)
@tickets.arguments(schemas.ReturnBody)
@tickets.response(200, schemas.TicketView)
def link_return(tx: Tx, body: dict[str, Any], ticket_id: UUID) -> dict[str, Any]:
    """Name the return notice that came of it."""
    commands.link_return(tx, ticket_id, **body)
    return queries.get_ticket(tx, ticket_id)


@escalations.get("")
@query
@admits("cs_manager", "management")
@escalations.arguments(fields.BranchFilters, location="query")
@escalations.response(200, schemas.EscalationPage)
def list_escalations(tx: Tx, filters: dict[str, Any]) -> dict[str, Any]:
    """List what nobody has acknowledged."""
    return queries.list_escalations(tx, filters)


@escalations.post("/<uuid:escalation_id>/acknowledge")
@command
@admits("cs_manager", "management")
@escalations.response(200, schemas.EscalationView)
def acknowledge_escalation(tx: Tx, escalation_id: UUID) -> dict[str, Any]:
    """Take note of it."""
    commands.acknowledge_escalation(tx, escalation_id)
    return queries.get_escalation(tx, escalation_id)
