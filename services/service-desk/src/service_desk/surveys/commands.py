"""Invite customers to rate, and write down what they answer."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from service_desk import tickets
from service_desk.surveys import model, store
from service_desk.surveys.model import Survey
from service_desk.tickets import Ticket
from shared import audit, outbox
from shared.clock import business_date, new_id
from shared.transaction import Tx


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
        ticket = tickets.lock(tx, order["ticket_id"])
        branch_id = ticket.branch_id
        tx.actor.require_branch(branch_id)
        customer_id = model.require_surveyable(ticket)
    else:
        branch_id, customer_id = order["branch_id"], order["customer_id"]
        tx.actor.require_branch(branch_id)
    token = model.new_token()
    survey = Survey(
        id=new_id(),
        instrument_version=model.instrument_on(business_date(tx.now)).version,
        branch_id=branch_id,
        customer_id=customer_id,
        ticket_id=ticket.id if ticket else None,
        cycle=ticket.cycle if ticket else None,
        campaign=None if ticket else order["campaign"],
        delivered=order["delivered"],
        token_hash=model.hash_of(token),
        sent_at=tx.now,
        expires_at=model.expiry(tx.now),
    )
    store.lock_customer(tx, customer_id)
    if store.has_delivered_survey(tx, survey):
        raise model.AlreadyInvited("this cycle, or this campaign's customer, was asked already")
    model.require_cooled_down(ticket.kind if ticket else None, store.find_last_sent(tx, customer_id), tx.now)
    store.add_survey(tx, survey)
    audit.record(tx, "survey.send", str(survey.id))
    outbox.append(tx, survey.sent())
    return survey.id, token


def answer_survey(
    tx: Tx, survey_id: UUID, *, token: str, scores: Mapping[str, int], comment: str | None
) -> None:
    """Write down the customer's answer. Raises SurveyNotFound, ForeignBranch and what Survey.answer raises."""
    survey = store.lock_survey(tx, survey_id)
    tx.actor.require_branch(survey.branch_id)
    fact = survey.answer(
        tx.actor,
        token=token,
        scores=scores,
        handler=tickets.handler_of(tx, survey.ticket_id),
        at=tx.now,
    )
    store.save_answer(tx, survey, comment)
    audit.record(tx, "survey.answer", str(survey_id), after=dict(scores))
    outbox.append(tx, fact)
