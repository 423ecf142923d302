"""What others may ask the service desk to do.

Each function runs inside the caller's transaction: it locks, lets the domain decide, stores, writes the history
and the audit, and records the facts. It never commits and never publishes.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from service_desk import events, repository
from service_desk.domain import ledgers, surveys
from service_desk.domain.ledgers import FeedbackLedger, LedgerState
from service_desk.domain.surveys import Survey
from service_desk.domain.tickets import Reporter, Ticket
from service_desk.vocabulary import Cause, Channel, ClockName, Fault, Kind, Severity
from shared import audit, outbox
from shared.clock import business_date, month_of, new_id
from shared.errors import Conflict, Forbidden, Invalid
from shared.events import Event
from shared.transaction import Tx

RECEIVED_NOT_BEFORE = datetime(2004, 1, 1, tzinfo=UTC)
"""The business calendar begins with this year."""
_REFERENCES = ("subject", "text", "sale_id", "product_id", "lot", "return_id")


class ReceivedInFuture(Invalid):
    code = "ticket_received_in_future"


class ReceivedTooEarly(Invalid):
    code = "ticket_received_too_early"


class EscalationAcknowledged(Conflict):
    code = "escalation_already_acknowledged"


class EscalationForAnother(Forbidden):
    code = "escalation_for_another_role"


# --- tickets ------------------------------------------------------------------------------------------


def open_ticket(tx: Tx, order: Mapping[str, Any]) -> UUID:
    """Take a matter in, start its clocks, record the feedback, escalate a major complaint at once.

    `received_at` may lie before now (a letter recorded the next morning): the clocks run from the intake, so an
    earlier one is never to our advantage. Raises ReceivedInFuture, ReceivedTooEarly, ForeignBranch.
    Source: D3, D4, D7, D9, D17
    """
    tx.actor.require_branch(order["branch_id"])
    received_at = order.get("received_at") or tx.now
    if received_at > tx.now:
        raise ReceivedInFuture(
            "it cannot have been received in the future",
            errors=[{"path": "received_at", "message": "lies in the future"}],
        )
    if received_at < RECEIVED_NOT_BEFORE:
        raise ReceivedTooEarly(
            f"the calendar begins at {RECEIVED_NOT_BEFORE:%Y-%m-%d}",
            errors=[{"path": "received_at", "message": "lies before the calendar"}],
        )
    received_at = received_at.astimezone(UTC)
    repository.lock_feedback(tx, order["branch_id"], to_add=True)
    ticket = Ticket(
        id=new_id(),
        number=repository.next_ticket_number(tx, order["branch_id"], received_at),
        kind=Kind(order["kind"]),
        channel=Channel(order["channel"]),
        branch_id=order["branch_id"],
        customer_id=order.get("customer_id"),
        severity=Severity(order["severity"]),
        reporter=Reporter(order["reporter"]),
        received_at=received_at,
    )
    facts = ticket.open(
        sale_id=order.get("sale_id"), product_id=order.get("product_id"), lot=order.get("lot")
    )
    repository.add_ticket(tx, ticket, {name: order[name] for name in _REFERENCES if name in order})
    repository.add_step(tx, ticket, "open")
    if ticket.is_escalated_at_once:
        repository.add_escalation(tx, ticket, cause="major", to_role="management")
    facts.append(_record_feedback(tx, ticket))
    audit.record(tx, "ticket.open", str(ticket.id), after=_audited(ticket))
    outbox.append(tx, *facts)
    return ticket.id


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
        lambda ticket: repository.link_return(tx, ticket.id, return_id),
        detail={"return_id": return_id},
    )


def breach_clock(tx: Tx, ticket_id: UUID, name: ClockName) -> None:
    """Tell that a clock ran out, and its superior."""
    _advance(tx, ticket_id, f"breach.{name}", lambda ticket: ticket.breach(name, tx.now))


def date_clock(tx: Tx, ticket_id: UUID) -> None:
    """Compute a due moment that was unknown. Raises CalendarUnknown while it still is."""
    _advance(tx, ticket_id, "date_clock", lambda ticket: ticket.compute_due())


def acknowledge_escalation(tx: Tx, escalation_id: UUID) -> None:
    """Raises EscalationNotFound, ForeignBranch, EscalationAcknowledged, EscalationForAnother."""
    escalation = repository.lock_escalation(tx, escalation_id)
    tx.actor.require_branch(escalation["branch_id"])
    if escalation["to_role"] not in tx.actor.roles:
        raise EscalationForAnother(f"this waits for {escalation['to_role']}")
    if escalation["acknowledged_at"] is not None:
        raise EscalationAcknowledged("it was acknowledged already")
    repository.acknowledge_escalation(tx, escalation_id)
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
    ticket = repository.lock_ticket(tx, ticket_id)
    tx.actor.require_branch(ticket.branch_id)
    before = _audited(ticket)
    facts = change(ticket) or []
    repository.save_ticket(tx, ticket)
    repository.add_step(tx, ticket, action, detail=detail, note=note)
    for fact in facts:
        if fact.type == "service_desk.ticket.clock_breached.v1":
            repository.add_escalation(tx, ticket, cause=f"breach.{fact.data['clock']}", to_role="cs_manager")
    audit.record(
        tx,
        f"ticket.{action}",
        str(ticket_id),
        before=before,
        after={**_audited(ticket), **(detail or {}), "note": note},
    )
    outbox.append(tx, *facts)


def _audited(ticket: Ticket) -> dict[str, Any]:
    return {
        "state": ticket.state,
        "cycle": ticket.cycle,
        "handler": ticket.handler,
        "version": ticket.version,
    }


# --- surveys ------------------------------------------------------------------------------------------


def send_survey(tx: Tx, order: Mapping[str, Any]) -> tuple[UUID, str]:
    """Invite a ticket's customer, or a customer of a campaign; returns the survey's id and its token.

    The token is told only here; the survey keeps its hash, and only the answer kept for replay holds it. An invitation that was not delivered counts
    neither as asked nor for the cool-down.
    Source: D12, D13
    Raises TicketNotFound, ForeignBranch, ReporterIsAgent, TicketHasNoCustomer, TicketNotResolved,
    AlreadyInvited, CoolingDown.
    """
    ticket: Ticket | None = None
    if order.get("ticket_id"):
        ticket = repository.lock_ticket(tx, order["ticket_id"])
        branch_id = ticket.branch_id
        tx.actor.require_branch(branch_id)
        customer_id = surveys.require_surveyable(ticket)
    else:
        branch_id, customer_id = order["branch_id"], order["customer_id"]
        tx.actor.require_branch(branch_id)
    token = surveys.new_token()
    survey = Survey(
        id=new_id(),
        instrument_version=surveys.instrument_on(business_date(tx.now)).version,
        branch_id=branch_id,
        customer_id=customer_id,
        ticket_id=ticket.id if ticket else None,
        cycle=ticket.cycle if ticket else None,
        campaign=None if ticket else order["campaign"],
        delivered=order["delivered"],
        token_hash=surveys.hash_of(token),
        sent_at=tx.now,
        expires_at=surveys.expiry(tx.now),
    )
    repository.lock_customer(tx, customer_id)
    if repository.has_delivered_survey(tx, survey):
        raise surveys.AlreadyInvited("this cycle, or this campaign's customer, was asked already")
    surveys.require_cooled_down(
        ticket.kind if ticket else None, repository.find_last_sent(tx, customer_id), tx.now
    )
    repository.add_survey(tx, survey)
    audit.record(tx, "survey.send", str(survey.id))
    outbox.append(tx, survey.sent())
    return survey.id, token


def answer_survey(
    tx: Tx, survey_id: UUID, *, token: str, scores: Mapping[str, int], comment: str | None
) -> None:
    """Write down the customer's answer. Raises SurveyNotFound, ForeignBranch and what Survey.answer raises."""
    survey = repository.lock_survey(tx, survey_id)
    tx.actor.require_branch(survey.branch_id)
    fact = survey.answer(
        tx.actor,
        token=token,
        scores=scores,
        handler=repository.find_handler(tx, survey.ticket_id),
        at=tx.now,
    )
    repository.save_answer(tx, survey, comment)
    audit.record(tx, "survey.answer", str(survey_id), after=dict(scores))
    outbox.append(tx, fact)


# --- feedback -----------------------------------------------------------------------------------------


def compile_ledger(tx: Tx, branch_id: str, month: date) -> None:
    """Enter every record of the month, once; repeatable until the ledger is closed.

    Raises ForeignBranch, MonthNotOver, LedgerClosed.
    Source: D22
    """
    tx.actor.require_branch(branch_id)
    ledgers.require_month_over(month, business_date(tx.now))
    repository.lock_feedback(tx, branch_id, to_add=False)
    ledger = repository.find_ledger(tx, branch_id, month)
    if ledger is None:
        ledger = FeedbackLedger(
            id=new_id(),
            branch_id=branch_id,
            month=month,
            state=LedgerState.COMPILED,
            compiled_by=tx.actor.id,
            compiled_at=tx.now,
            records=0,
            late_records=0,
            entries_hash=ledgers.hash_entries([]),
        )
    ledger.recompile(tx.actor, tx.now)
    repository.save_ledger(tx, ledger)
    own, late = repository.enter_records(tx, ledger)
    ledger.records, ledger.late_records = len(own), len(late)
    ledger.entries_hash = ledgers.hash_entries([*own, *late])
    _save(tx, ledger, "compile")


def sign_ledger(tx: Tx, branch_id: str, month: date) -> None:
    """Raises ForeignBranch, LedgerNotFound and what FeedbackLedger.sign raises."""
    ledger = _held_ledger(tx, branch_id, month)
    ledger.sign(tx.actor, missing=repository.count_missing(tx, ledger), at=tx.now)
    _save(tx, ledger, "sign")


def close_ledger(tx: Tx, branch_id: str, month: date) -> None:
    """Raises ForeignBranch, LedgerNotFound and what FeedbackLedger.close raises."""
    ledger = _held_ledger(tx, branch_id, month)
    fact = ledger.close(tx.actor, missing=repository.count_missing(tx, ledger), at=tx.now)
    _save(tx, ledger, "close")
    outbox.append(tx, fact)


def _record_feedback(tx: Tx, ticket: Ticket) -> Event:
    """市场信息反馈记录 (REC-FY006R00): one per ticket, of the month of its intake in Shanghai.

    Source: D17
    """
    taken_on = business_date(ticket.received_at)
    feedback_id, month = new_id(), month_of(taken_on)
    repository.add_feedback_record(tx, feedback_id=feedback_id, ticket=ticket, month=month, taken_on=taken_on)
    return events.feedback_recorded(
        feedback_id=feedback_id,
        ticket_id=ticket.id,
        branch_id=ticket.branch_id,
        month=month,
        channel=ticket.channel,
        kind=ticket.kind,
        taken_on=taken_on,
    )


def _held_ledger(tx: Tx, branch_id: str, month: date) -> FeedbackLedger:
    tx.actor.require_branch(branch_id)
    repository.lock_feedback(tx, branch_id, to_add=False)
    return repository.lock_ledger(tx, branch_id, month)


def _save(tx: Tx, ledger: FeedbackLedger, action: str) -> None:
    repository.save_ledger(tx, ledger)
    audit.record(
        tx,
        f"feedback_ledger.{action}",
        str(ledger.id),
        after={"state": ledger.state, "entries_hash": ledger.entries_hash},
    )
