"""The satisfaction survey: a versioned instrument, an invitation that is answered once, and when to ask nobody.

Source: D12, D13, D32
"""

import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from importlib.resources import files
from uuid import UUID

from service_desk import standards
from service_desk.kernel.vocabulary import Kind
from service_desk.surveys import events
from service_desk.tickets import COMPLAINTS, Reporter, State, Ticket
from shared.clock import business_date
from shared.errors import Conflict, Forbidden, Invalid, Unavailable
from shared.events import Event
from shared.identity import Actor
from shared.languages import Text

TOKEN_BYTES = 16


class InstrumentMissing(Unavailable):
    code = "survey_instrument_missing"
    cure = "Tell the operator: a questionnaire must be in force for this day."


class TicketNotResolved(Conflict):
    """Only a resolved cycle is surveyed."""

    code = "survey_ticket_not_resolved"
    cure = "Resolve the ticket first."


class TicketHasNoCustomer(Conflict):
    code = "survey_ticket_without_customer"
    cure = "Send no survey about this ticket."


class ReporterIsAgent(Conflict):
    """Nobody rates a ticket that staff raised for themselves."""

    code = "survey_reporter_is_agent"
    cure = "Send no survey about this ticket."


class AlreadyInvited(Conflict):
    """One delivered invitation per ticket cycle, and per campaign and customer."""

    code = "survey_already_sent"
    cure = "Wait for the next cycle or campaign."


class CoolingDown(Conflict):
    code = "survey_cooling_down"
    cure = "Ask this customer later."


class SurveyAlreadyAnswered(Conflict):
    code = "survey_already_answered"
    cure = "Nothing needs doing: the first answer counts."


class SurveyExpired(Conflict):
    code = "survey_expired"
    cure = "Send a new survey."


class SurveyUndelivered(Conflict):
    """Nobody received it, so nobody can have answered it."""

    code = "survey_undelivered"
    cure = "Find out how the customer can be reached and send a new survey."


class SurveyTokenWrong(Forbidden):
    code = "survey_token_wrong"
    cure = "Use the token of the invitation that was sent."


class HandlerMayNotAnswer(Forbidden):
    """Who handled the ticket does not record the customer's opinion of it."""

    code = "survey_handler_may_not_answer"
    cure = "Let a colleague who did not handle the ticket record the rating."


class ScoresInvalid(Invalid):
    code = "survey_scores_invalid"
    cure = "Give a score to each question of the instrument, within its scale."


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """What is asked: every dimension of `dimensions`, on the scale `lowest` to `highest`."""

    version: int
    effective_from: date
    dimensions: tuple[str, ...]
    lowest: int
    highest: int
    weights_bp: Mapping[str, int]
    source: str
    mark: str

    def check(self, scores: Mapping[str, int]) -> None:
        """Raises ScoresInvalid with every fault."""
        faults = [
            {"path": f"scores.{name}", "message": "required"}
            for name in self.dimensions
            if name not in scores
        ]
        faults += [
            {"path": f"scores.{name}", "message": "this instrument does not ask it"}
            for name in scores
            if name not in self.dimensions
        ]
        faults += [
            {
                "path": f"scores.{name}",
                "message": Text("from {lowest} to {highest}", lowest=self.lowest, highest=self.highest),
            }
            for name, score in scores.items()
            if not self.lowest <= score <= self.highest
        ]
        if faults:
            raise ScoresInvalid("the answer does not fit the instrument", errors=faults)


def load() -> tuple[Instrument, ...]:
    """The rows of data/instruments.json; the weights of each sum to 10 000."""
    rows = json.loads((files("service_desk.surveys") / "data" / "instruments.json").read_text("utf-8"))
    loaded = tuple(
        Instrument(
            **{
                **row,
                "effective_from": date.fromisoformat(row["effective_from"]),
                "dimensions": tuple(row["dimensions"]),
            }
        )
        for row in rows
    )
    assert all(sum(each.weights_bp.values()) == 10_000 for each in loaded)
    return loaded


INSTRUMENTS = load()


def instrument_on(day: date, rows: Sequence[Instrument] = INSTRUMENTS) -> Instrument:
    """The instrument in force on `day`. Raises InstrumentMissing."""
    in_force = [row for row in rows if row.effective_from <= day]
    if not in_force:
        raise InstrumentMissing(
            Text("no survey instrument is in force on {day}", day=day), retry_after_s=86_400
        )
    return max(in_force, key=lambda row: row.effective_from)


def instrument(version: int) -> Instrument:
    return next(row for row in INSTRUMENTS if row.version == version)


@dataclass(kw_only=True)
class Survey:
    """An invitation and, once, its answer. Belongs to a ticket cycle or to a campaign."""

    id: UUID
    instrument_version: int
    branch_id: str
    customer_id: str
    ticket_id: UUID | None
    cycle: int | None
    campaign: str | None
    delivered: bool
    token_hash: bytes
    sent_at: datetime
    expires_at: datetime
    answered_at: datetime | None = None
    scores: dict[str, int] | None = None

    def sent(self) -> Event:
        return events.survey_sent(
            survey_id=self.id,
            branch_id=self.branch_id,
            customer_id=self.customer_id,
            ticket_id=self.ticket_id,
            delivered=self.delivered,
            at=self.sent_at,
        )

    def answer(
        self, actor: Actor, *, token: str, scores: Mapping[str, int], handler: str | None, at: datetime
    ) -> Event:
        """Record the one answer and return the fact.

        `handler` handled the surveyed ticket; they may not be the one who writes down its rating.
        Raises SurveyTokenWrong, SurveyUndelivered, SurveyAlreadyAnswered, SurveyExpired, HandlerMayNotAnswer,
        ScoresInvalid.
        """
        if not hmac.compare_digest(hash_of(token), self.token_hash):
            raise SurveyTokenWrong("the token is not the one that was sent")
        if not self.delivered:
            raise SurveyUndelivered("this invitation never reached the customer")
        if self.answered_at is not None:
            raise SurveyAlreadyAnswered("this survey was answered already")
        if at >= self.expires_at:
            raise SurveyExpired("this survey has expired")
        if handler is not None and actor.id == handler:
            raise HandlerMayNotAnswer("who handled the ticket may not record its rating")
        instrument(self.instrument_version).check(scores)
        self.answered_at, self.scores = at, dict(scores)
        return events.survey_answered(
            survey_id=self.id,
            instrument_version=self.instrument_version,
            branch_id=self.branch_id,
            customer_id=self.customer_id,
            ticket_id=self.ticket_id,
            scores=scores,
            at=at,
        )


def new_token() -> str:
    return secrets.token_urlsafe(TOKEN_BYTES)


def hash_of(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def expiry(sent_at: datetime) -> datetime:
    return sent_at + timedelta(days=standards.value("survey_lifetime", business_date(sent_at)))


def require_surveyable(ticket: Ticket) -> str:
    """The customer to ask about this ticket's cycle.

    Raises ReporterIsAgent, TicketHasNoCustomer, TicketNotResolved.
    """
    if ticket.reporter is Reporter.AGENT:
        raise ReporterIsAgent("staff raised this ticket for themselves; nobody is asked about it")
    if ticket.customer_id is None:
        raise TicketHasNoCustomer("the ticket names no customer")
    if ticket.state not in {State.RESOLVED, State.ARCHIVED}:
        raise TicketNotResolved(
            Text("the ticket is {state}; a survey follows the resolution", state=ticket.state)
        )
    return ticket.customer_id


def require_cooled_down(kind: Kind | None, last_sent_at: datetime | None, at: datetime) -> None:
    """One survey per customer in the cool-down, except about complaints. Raises CoolingDown."""
    if kind in COMPLAINTS or last_sent_at is None:
        return
    wait = timedelta(days=standards.value("survey_cool_down", business_date(at)))
    if at - last_sent_at < wait:
        raise CoolingDown(
            Text("this customer was asked within the last {days} days", days=wait.days),
            last_sent_at=last_sent_at.isoformat(),
        )
