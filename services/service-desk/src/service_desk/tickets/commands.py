"""The steps of a ticket.

Each function locks, lets the ticket decide, stores, writes the history and the audit, and records the facts.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from service_desk.kernel.vocabulary import Cause, Channel, ClockName, Fault, Kind, Severity
from service_desk.tickets import store
from service_desk.tickets.model.states import Reporter
from service_desk.tickets.model.ticket import Ticket
from shared import audit, holidays, outbox
from shared.clock import new_id
from shared.errors import Conflict, Forbidden
from shared.events import Event
from shared.languages import Text
from shared.transaction import Tx

_REFERENCES = ("subject", "text", "sale_id", "product_id", "lot", "return_id")


class EscalationAcknowledged(Conflict):
    code = "escalation_already_acknowledged"
    cure = "Nothing needs doing: somebody takes care of it."


class EscalationForAnother(Forbidden):
    code = "escalation_for_another_role"
    cure = "Let somebody acknowledge it who holds the role that it waits for."


def take_in(tx: Tx, order: Mapping[str, Any], received_at: datetime) -> tuple[Ticket, list[Event]]:
    """Store a new ticket with its clocks and first step, escalated at once when it is a major complaint.

    Whoever calls records its facts, which are returned, and the audit.
    """
    ticket = Ticket(
        id=new_id(),
        number=store.next_ticket_number(tx, order["branch_id"], received_at),
        kind=Kind(order["kind"]),
        channel=Channel(order["channel"]),
        branch_id=order["branch_id"],
        customer_id=order.get("customer_id"),
        severity=Severity(order["severity"]),
        reporter=Reporter(order["reporter"]),
        received_at=received_at,
        holidays=holidays.in_force(tx.conn),
    )
    facts = ticket.open(
        sale_id=order.get("sale_id"), product_id=order.get("product_id"), lot=order.get("lot")
    )
    store.add_ticket(tx, ticket, {name: order[name] for name in _REFERENCES if name in order})
    store.add_step(tx, ticket, "open")
    if ticket.is_escalated_at_once:
        store.add_escalation(tx, ticket, cause="major", to_role="management")
    return ticket, facts


def acknowledge_ticket(tx: Tx, ticket_id: UUID) -> None:
    _advance(tx, ticket_id, "acknowledge", lambda ticket: ticket.acknowledge())


def assign_ticket(tx: Tx, ticket_id: UUID, *, handler: str, role: str) -> None:
    _advance(
        tx,
        ticket_id,
        "assign",
        lambda ticket: ticket.assign(tx.actor, handler=handler, role=role, at=tx.now),
        detail={"handler": handler, "role": role},
    )


def contact_customer(tx: Tx, ticket_id: UUID, *, channel: str, reached: bool, note: str | None) -> None:
    _advance(
        tx,
        ticket_id,
        "contact",
        lambda ticket: ticket.contact(reached=reached, at=tx.now),
        detail={"channel": channel, "reached": reached},
        note=note,
    )


def propose_solution(tx: Tx, ticket_id: UUID, *, solution: str) -> None:
    _advance(tx, ticket_id, "propose", lambda ticket: ticket.propose(tx.actor), note=solution)


def record_consent(tx: Tx, ticket_id: UUID, *, agreed: bool, reason: str | None) -> None:
    _advance(
        tx,
        ticket_id,
        "consent",
        lambda ticket: ticket.consent(tx.actor, agreed=agreed, reason=reason, at=tx.now),
        detail={"agreed": agreed},
        note=reason,
    )


def execute_solution(tx: Tx, ticket_id: UUID) -> None:
    _advance(tx, ticket_id, "execute", lambda ticket: ticket.execute(tx.actor))


def resolve_ticket(tx: Tx, ticket_id: UUID, *, cause: str, fault: str, resolution: str) -> None:
    _advance(
        tx,
        ticket_id,
        "resolve",
        lambda ticket: ticket.resolve(tx.actor, cause=Cause(cause), fault=Fault(fault), at=tx.now),
        detail={"cause": cause, "fault": fault},
        note=resolution,
    )


def archive_ticket(tx: Tx, ticket_id: UUID, *, customer_confirmed: bool) -> None:
    _advance(
        tx,
        ticket_id,
        "archive",
        lambda ticket: ticket.archive(tx.actor, customer_confirmed=customer_confirmed, at=tx.now),
        detail={"customer_confirmed": customer_confirmed},
    )


def reopen_ticket(tx: Tx, ticket_id: UUID, *, reason: str) -> None:
    _advance(tx, ticket_id, "reopen", lambda ticket: ticket.reopen(tx.actor, at=tx.now), note=reason)


def link_return(tx: Tx, ticket_id: UUID, *, return_id: str) -> None:
    """Name the return notice that came of the ticket; its outcome shows on the ticket.

    Source: D20
    """
    _advance(
        tx,
        ticket_id,
        "link_return",
        lambda ticket: store.link_return(tx, ticket.id, return_id),
        detail={"return_id": return_id},
    )


def breach_clock(tx: Tx, ticket_id: UUID, name: ClockName) -> None:
    """Tell that a clock ran out, and its superior."""
    _advance(tx, ticket_id, f"breach.{name}", lambda ticket: ticket.breach(name, tx.now))


def date_clock(tx: Tx, ticket_id: UUID) -> None:
    """Compute a due moment by the notices known now. Raises CalendarUnknown where it cannot be told still."""
    ticket = store.lock(tx, ticket_id)
    before = ticket.clocks[ClockName.RESOLUTION].due_at
    ticket.compute_due()
    if ticket.clocks[ClockName.RESOLUTION].due_at == before:
        store.save_ticket(tx, ticket)  # a notice of other days is no step of the ticket
    else:
        _advance(tx, ticket_id, "date_clock", lambda locked: locked.compute_due())


def acknowledge_escalation(tx: Tx, escalation_id: UUID) -> None:
    """Raises EscalationNotFound, ForeignBranch, EscalationAcknowledged, EscalationForAnother."""
    escalation = store.lock_escalation(tx, escalation_id)
    tx.actor.require_branch(escalation["branch_id"])
    if escalation["to_role"] not in tx.actor.roles:
        raise EscalationForAnother(Text("this waits for {to_role}", to_role=escalation["to_role"]))
    if escalation["acknowledged_at"] is not None:
        raise EscalationAcknowledged("it was acknowledged already")
    store.acknowledge_escalation(tx, escalation_id)
    audit.record(tx, "escalation.acknowledge", str(escalation_id))


def _advance(
    tx: Tx,
    ticket_id: UUID,
    action: str,
    change: Callable[[Ticket], list[Event] | None],
    *,
    detail: Mapping[str, Any] | None = None,
    note: str | None = None,
) -> None:
    """One step of a ticket: lock, change, store, history, audit, facts, and the notice of a breach."""
    ticket = store.lock(tx, ticket_id)
    tx.actor.require_branch(ticket.branch_id)
    before = ticket.audited()
    facts = change(ticket) or []
    store.save_ticket(tx, ticket)
    store.add_step(tx, ticket, action, detail=detail, note=note)
    for fact in facts:
        if fact.type == "service_desk.ticket.clock_breached.v1":
            store.add_escalation(tx, ticket, cause=f"breach.{fact.data['clock']}", to_role="cs_manager")
    audit.record(
        tx,
        f"ticket.{action}",
        str(ticket_id),
        before=before,
        after={**ticket.audited(), **(detail or {}), "note": note},
    )
    outbox.append(tx, *facts)
