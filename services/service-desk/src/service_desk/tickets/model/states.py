"""States of a ticket, which step each allows, and by what name a step is refused elsewhere."""

from enum import StrEnum

from service_desk.kernel.vocabulary import Kind
from shared.errors import Conflict


class Reporter(StrEnum):
    """Who raised it: a ticket that staff raise for themselves is never surveyed."""

    CUSTOMER = "customer"
    AGENT = "agent"


class State(StrEnum):
    NEW = "new"
    ACKNOWLEDGED = "acknowledged"
    ASSIGNED = "assigned"
    SOLUTION_PROPOSED = "solution_proposed"
    AGREED = "agreed"
    EXECUTING = "executing"
    RESOLVED = "resolved"
    REOPENED = "reopened"
    ARCHIVED = "archived"


COMPLAINTS = frozenset({Kind.COMPLAINT, Kind.QUALITY_COMPLAINT})
QUALITY = frozenset({Kind.QUALITY_COMPLAINT, Kind.ADR})
"""Owned by QA: others may take them in, not decide them. Source: D18, D19, D23."""
ESCALATED_WHEN_MAJOR = frozenset({Kind.COMPLAINT, Kind.QUALITY_COMPLAINT, Kind.DISPUTE, Kind.ADR})
HANDLER_ROLES = ("cs_agent", "cs_manager", "pharmacist", "qa")


class TicketNotAcknowledgeable(Conflict):
    code = "ticket_not_acknowledgeable"
    cure = "Read the ticket again; its state says what comes next."


class TicketNotAssignable(Conflict):
    code = "ticket_not_assignable"
    cure = "Read the ticket again; one that is resolved is reopened before it is assigned."


class TicketNotContactable(Conflict):
    code = "ticket_not_contactable"
    cure = "Acknowledge the ticket first; on one that is closed no contact is recorded."


class SolutionNotProposable(Conflict):
    code = "solution_not_proposable"
    cure = "Acknowledge and assign the ticket first; its state says what comes next."


class ConsentNotAwaited(Conflict):
    code = "consent_not_awaited"
    cure = "Propose a solution first; the customer answers that."


class SolutionNotAgreed(Conflict):
    """Execution starts only after the customer's recorded consent."""

    code = "solution_not_agreed"
    cure = "Record that the customer accepts the solution first."


class TicketNotExecuting(Conflict):
    code = "ticket_not_executing"
    cure = "Have the solution accepted and executed first."


class TicketNotArchivable(Conflict):
    code = "ticket_not_archivable"
    cure = "Resolve the ticket first."


class TicketNotReopenable(Conflict):
    code = "ticket_not_reopenable"
    cure = "Only what is resolved is reopened; go on with the ticket as it is."


class ReopenWindowClosed(Conflict):
    """Too long ago: open a new ticket."""

    code = "reopen_window_closed"
    cure = "Open a new ticket that names this one."


class CustomerNotConfirmed(Conflict):
    """Archiving needs the customer's confirmation or enough failed attempts to reach them."""

    code = "customer_not_confirmed"
    cure = "Ask the customer, record each attempt to reach them, and archive then."


_UNDER_WAY = frozenset(
    {
        State.NEW,
        State.ACKNOWLEDGED,
        State.ASSIGNED,
        State.SOLUTION_PROPOSED,
        State.AGREED,
        State.EXECUTING,
        State.REOPENED,
    }
)
ALLOWED_IN: dict[str, tuple[frozenset[State], type[Conflict]]] = {
    "acknowledge": (frozenset({State.NEW}), TicketNotAcknowledgeable),
    "assign": (_UNDER_WAY, TicketNotAssignable),
    "contact": (_UNDER_WAY | {State.RESOLVED}, TicketNotContactable),
    "propose": (frozenset({State.ASSIGNED, State.REOPENED}), SolutionNotProposable),
    "consent": (frozenset({State.SOLUTION_PROPOSED}), ConsentNotAwaited),
    "execute": (frozenset({State.AGREED}), SolutionNotAgreed),
    "resolve": (frozenset({State.EXECUTING}), TicketNotExecuting),
    "archive": (frozenset({State.RESOLVED}), TicketNotArchivable),
    "reopen": (frozenset({State.RESOLVED, State.ARCHIVED}), TicketNotReopenable),
}
