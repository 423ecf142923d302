"""The service desk over HTTP: each view names one command or one query, and the roles it admits.

Staff of customer service, pharmacists and QA work on tickets; who may do what to which ticket is decided in the
domain. Stores take matters in; management sees and acknowledges what was escalated.
"""

import re
from datetime import date
from typing import Any
from uuid import UUID

from flask import Response

from service_desk import commands, queries, schemas
from service_desk.domain.standards import STANDARDS
from service_desk.domain.surveys import INSTRUMENTS
from shared.arguments import Blueprint
from shared.errors import Invalid
from shared.paging import PageArgs
from shared.transaction import Tx
from shared.web import admits, command, query

STAFF = ("cs_agent", "cs_manager", "pharmacist", "qa")
READERS = (*STAFF, "store_manager", "management")
_MONTH = re.compile(r"\A(20[0-9]{2})-(0[1-9]|1[0-2])\Z")

tickets = Blueprint("tickets", __name__, url_prefix="/tickets", description="Tickets and their clocks.")
escalations = Blueprint(
    "escalations", __name__, url_prefix="/escalations", description="Notices to superiors."
)
surveys = Blueprint("surveys", __name__, url_prefix="/surveys", description="Satisfaction surveys.")
feedback = Blueprint(
    "feedback_ledgers",
    __name__,
    url_prefix="/feedback-ledgers",
    description="The monthly feedback ledger of a branch.",
)
standards = Blueprint(
    "service_standards", __name__, url_prefix="/service-standards", description="The numbers served by."
)


class MonthInvalid(Invalid):
    code = "ledger_month_invalid"


# --- tickets ------------------------------------------------------------------------------------------


@tickets.post("")
@command
@admits(*STAFF, "store_manager")
@tickets.arguments(schemas.TicketBody)
@tickets.response(201, schemas.TicketView)
def open_ticket(tx: Tx, body: dict[str, Any]) -> dict[str, Any]:
    """Take a matter in."""
    return queries.get_ticket(tx, commands.open_ticket(tx, body))


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


@tickets.post("/<uuid:ticket_id>/consent")
@command
@admits(*STAFF)
@tickets.arguments(schemas.ConsentBody)
@tickets.response(200, schemas.TicketView)
def record_consent(tx: Tx, body: dict[str, Any], ticket_id: UUID) -> dict[str, Any]:
    """Record that the customer agreed, or why not."""
    commands.record_consent(tx, ticket_id, **body)
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


@tickets.post("/<uuid:ticket_id>/return")
@command
@admits(*STAFF)
@tickets.arguments(schemas.ReturnBody)
@tickets.response(200, schemas.TicketView)
def link_return(tx: Tx, body: dict[str, Any], ticket_id: UUID) -> dict[str, Any]:
    """Name the return notice that came of it."""
    commands.link_return(tx, ticket_id, **body)
    return queries.get_ticket(tx, ticket_id)


# --- escalations --------------------------------------------------------------------------------------


@escalations.get("")
@query
@admits("cs_manager", "management")
@escalations.arguments(schemas.BranchFilters, location="query")
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


@standards.get("")
@query
@admits(*READERS)
@standards.response(200, schemas.StandardView(many=True))
def list_standards(tx: Tx) -> Any:
    """List the service standards with their dates and sources."""
    return list(STANDARDS)


# --- surveys ------------------------------------------------------------------------------------------


@surveys.post("")
@command
@admits("cs_agent", "cs_manager")
@surveys.arguments(schemas.SurveyBody)
@surveys.response(201, schemas.SentSurveyView)
def send_survey(tx: Tx, body: dict[str, Any]) -> dict[str, Any]:
    """Invite a customer to rate."""
    survey_id, token = commands.send_survey(tx, body)
    return {**queries.get_survey(tx, survey_id), "token": token}


@surveys.get("")
@query
@admits("cs_agent", "cs_manager", "management")
@surveys.arguments(schemas.SurveyFilters, location="query")
@surveys.response(200, schemas.SurveyPage)
def list_surveys(tx: Tx, filters: dict[str, Any]) -> dict[str, Any]:
    """List invitations and answers, newest first."""
    return queries.list_surveys(tx, filters)


@surveys.get("/instruments")
@query
@admits("cs_agent", "cs_manager", "management", "till")
@surveys.response(200, schemas.InstrumentView(many=True))
def list_instruments(tx: Tx) -> Any:
    """List what was and is asked."""
    return list(INSTRUMENTS)


@surveys.get("/<uuid:survey_id>")
@query
@admits("cs_agent", "cs_manager", "management")
@surveys.response(200, schemas.SurveyView)
def get_survey(tx: Tx, survey_id: UUID) -> dict[str, Any]:
    """Read an invitation and its answer."""
    return queries.get_survey(tx, survey_id)


@surveys.post("/<uuid:survey_id>/answers")
@command
@admits("cs_agent", "till")
@surveys.arguments(schemas.AnswerBody)
@surveys.response(201, schemas.SurveyView)
def answer_survey(tx: Tx, body: dict[str, Any], survey_id: UUID) -> dict[str, Any]:
    """Write down the customer's answer."""
    commands.answer_survey(tx, survey_id, **body)
    return queries.get_survey(tx, survey_id)


# --- the feedback ledger ------------------------------------------------------------------------------


@feedback.get("/<string:branch_id>/<string:month>")
@query
@admits("cs_agent", "cs_manager", "qa", "management", "store_manager")
@feedback.response(200, schemas.LedgerView)
def get_ledger(tx: Tx, branch_id: str, month: str) -> dict[str, Any]:
    """Read a month's ledger (`2026-11`)."""
    return queries.get_ledger(tx, branch_id, _month(month))


@feedback.get("/<string:branch_id>/<string:month>/entries")
@query
@admits("cs_agent", "cs_manager", "qa", "management", "store_manager")
@feedback.arguments(PageArgs, location="query")
@feedback.response(200, schemas.EntryPage)
def list_entries(tx: Tx, filters: dict[str, Any], branch_id: str, month: str) -> dict[str, Any]:
    """List the records of a ledger."""
    return queries.list_entries(tx, branch_id, _month(month), filters)


@feedback.get("/<string:branch_id>/<string:month>/csv")
@query
@admits("cs_agent", "cs_manager", "qa", "management", "store_manager")
@feedback.response(200, {"type": "string"}, content_type="text/csv")
def get_ledger_csv(tx: Tx, branch_id: str, month: str) -> Response:
    """Read a ledger as a table for spreadsheets."""
    return Response(queries.ledger_csv(tx, branch_id, _month(month)), mimetype="text/csv")


@feedback.post("/<string:branch_id>/<string:month>/compile")
@command
@admits("cs_agent", "cs_manager")
@feedback.response(200, schemas.LedgerView)
def compile_ledger(tx: Tx, branch_id: str, month: str) -> dict[str, Any]:
    """Enter the month's records."""
    commands.compile_ledger(tx, branch_id, _month(month))
    return queries.get_ledger(tx, branch_id, _month(month))


@feedback.post("/<string:branch_id>/<string:month>/sign")
@command
@admits("cs_manager")
@feedback.response(200, schemas.LedgerView)
def sign_ledger(tx: Tx, branch_id: str, month: str) -> dict[str, Any]:
    """Answer for it; another person than the compiler."""
    commands.sign_ledger(tx, branch_id, _month(month))
    return queries.get_ledger(tx, branch_id, _month(month))


@feedback.post("/<string:branch_id>/<string:month>/close")
@command
@admits("cs_manager")
@feedback.response(200, schemas.LedgerView)
def close_ledger(tx: Tx, branch_id: str, month: str) -> dict[str, Any]:
    """Close it for ever."""
    commands.close_ledger(tx, branch_id, _month(month))
    return queries.get_ledger(tx, branch_id, _month(month))


def _month(text: str) -> date:
    """The first day of `2026-11`. Raises MonthInvalid."""
    found = _MONTH.match(text)
    if not found:
        raise MonthInvalid(
            "write a month as 2026-11", errors=[{"path": "month", "message": "2000-01 to 2099-12"}]
        )
    return date(int(found[1]), int(found[2]), 1)
