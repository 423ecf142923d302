"""The facts this service publishes: one builder per event; payloads hold ids and numbers, never text of people.

A month is written as its first day.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any, Final, TypedDict, TypeVar, cast
from uuid import UUID

from msgspec import Meta

from service_desk.vocabulary import Cause, Channel, ClockName, Fault, Kind, Severity
from shared.clock import business_date
from shared.events import Event
from shared.texts import Branch, Count, Cycle, Day, Id, Instant, Lot, Reference, Seconds, one_of

Told = TypeVar("Told", bound=Mapping[str, Any])
Kinds = Annotated[str, one_of(Kind)]
Channels = Annotated[str, one_of(Channel)]
Severities = Annotated[str, one_of(Severity)]
Causes = Annotated[str, one_of(Cause)]
Faults = Annotated[str, one_of(Fault)]
Clocks = Annotated[str, one_of(ClockName)]
Score = Annotated[int, Meta(ge=1, le=5, description="1 (bad) to 5 (good)")]
FirstOfMonth = Annotated[
    str,
    Meta(
        min_length=10,
        max_length=10,
        pattern=r"\A20[0-9]{2}-(0[1-9]|1[0-2])-01\Z",
        description="a month as its first day",
        extra_json_schema={"format": "date"},
    ),
]


class TicketOpened(TypedDict):
    """`opened_at` is the intake, from which the clocks run; it counts to the intake's day."""

    ticket_id: Id
    number: Reference
    kind: Kinds
    channel: Channels
    branch_id: Branch
    customer_id: Reference | None
    severity: Severities
    opened_at: Instant
    sale_id: Reference | None
    product_id: Lot | None
    lot: Lot | None


class TicketAssigned(TypedDict):
    """A handler is assigned and has reached the customer: the 24-hour clock stopped after `arranged_s`."""

    ticket_id: Id
    branch_id: Branch
    arranged_s: Seconds
    on_time: bool


class ClockBreached(TypedDict):
    """Told once per clock and cycle; `late_s` is the lateness when it was noticed."""

    ticket_id: Id
    branch_id: Branch
    cycle: Cycle
    clock: Clocks
    late_s: Seconds


class TicketResolved(TypedDict):
    ticket_id: Id
    branch_id: Branch
    cycle: Cycle
    cause: Causes
    fault: Faults
    resolved_at: Instant
    on_time: bool


class SurveySent(TypedDict):
    survey_id: Id
    branch_id: Branch
    customer_id: Reference
    ticket_id: Id | None
    delivered: bool


class Scores(TypedDict):
    quality: Score
    service: Score
    price: Score


class SurveyAnswered(TypedDict):
    """Each dimension of the instrument that reports read has its score; an instrument may ask more."""

    survey_id: Id
    instrument_version: Reference
    branch_id: Branch
    customer_id: Reference
    ticket_id: Id | None
    scores: Scores
    answered_on: Day


class FeedbackRecorded(TypedDict):
    feedback_id: Id
    ticket_id: Id
    branch_id: Branch
    month: FirstOfMonth
    channel: Channels
    kind: Kinds
    taken_on: Day


class FeedbackLedgerClosed(TypedDict):
    branch_id: Branch
    month: FirstOfMonth
    records: Count
    on_time: bool


PUBLISHED: Final[Mapping[str, type]] = {
    "service_desk.ticket.opened.v1": TicketOpened,
    "service_desk.ticket.assigned.v1": TicketAssigned,
    "service_desk.ticket.clock_breached.v1": ClockBreached,
    "service_desk.ticket.resolved.v1": TicketResolved,
    "service_desk.survey.sent.v1": SurveySent,
    "service_desk.survey.answered.v1": SurveyAnswered,
    "service_desk.feedback.recorded.v1": FeedbackRecorded,
    "service_desk.feedback_ledger.closed.v1": FeedbackLedgerClosed,
}


def _instant(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def ticket_opened(
    *,
    ticket_id: UUID,
    version: int,
    number: str,
    kind: str,
    channel: str,
    branch_id: str,
    customer_id: str | None,
    severity: str,
    opened_at: datetime,
    sale_id: str | None,
    product_id: str | None,
    lot: str | None,
) -> Event[TicketOpened]:
    """`opened_at` is the intake, from which the clocks run; it counts to the intake's day."""
    data: TicketOpened = {
        "ticket_id": str(ticket_id),
        "number": number,
        "kind": str(kind),
        "channel": str(channel),
        "branch_id": branch_id,
        "customer_id": customer_id,
        "severity": str(severity),
        "opened_at": _instant(opened_at),
        "sale_id": sale_id,
        "product_id": product_id,
        "lot": lot,
    }
    return _ticket("opened", ticket_id, version, business_date(opened_at), data)


def ticket_assigned(
    *, ticket_id: UUID, version: int, branch_id: str, arranged_s: int, on_time: bool, at: datetime
) -> Event[TicketAssigned]:
    """A handler is assigned and has reached the customer: the 24-hour clock stopped after `arranged_s`."""
    data: TicketAssigned = {
        "ticket_id": str(ticket_id),
        "branch_id": branch_id,
        "arranged_s": arranged_s,
        "on_time": on_time,
    }
    return _ticket("assigned", ticket_id, version, business_date(at), data)


def clock_breached(
    *, ticket_id: UUID, version: int, branch_id: str, cycle: int, clock: str, late_s: int, at: datetime
) -> Event[ClockBreached]:
    """Told once per clock and cycle; `late_s` is the lateness when it was noticed."""
    data: ClockBreached = {
        "ticket_id": str(ticket_id),
        "branch_id": branch_id,
        "cycle": cycle,
        "clock": str(clock),
        "late_s": late_s,
    }
    return _ticket("clock_breached", ticket_id, version, business_date(at), data)


def ticket_resolved(
    *,
    ticket_id: UUID,
    version: int,
    branch_id: str,
    cycle: int,
    cause: str,
    fault: str,
    resolved_at: datetime,
    on_time: bool,
) -> Event[TicketResolved]:
    data: TicketResolved = {
        "ticket_id": str(ticket_id),
        "branch_id": branch_id,
        "cycle": cycle,
        "cause": str(cause),
        "fault": str(fault),
        "resolved_at": _instant(resolved_at),
        "on_time": on_time,
    }
    return _ticket("resolved", ticket_id, version, business_date(resolved_at), data)


def survey_sent(
    *,
    survey_id: UUID,
    branch_id: str,
    customer_id: str,
    ticket_id: UUID | None,
    delivered: bool,
    at: datetime,
) -> Event[SurveySent]:
    data: SurveySent = {
        "survey_id": str(survey_id),
        "branch_id": branch_id,
        "customer_id": customer_id,
        "ticket_id": str(ticket_id) if ticket_id else None,
        "delivered": delivered,
    }
    return Event(
        type="service_desk.survey.sent.v1",
        subject=str(survey_id),
        version=1,
        day=business_date(at),
        data=data,
    )


def survey_answered(
    *,
    survey_id: UUID,
    instrument_version: int,
    branch_id: str,
    customer_id: str,
    ticket_id: UUID | None,
    scores: Mapping[str, int],
    at: datetime,
) -> Event[SurveyAnswered]:
    day = business_date(at)
    data: SurveyAnswered = {
        "survey_id": str(survey_id),
        "instrument_version": str(instrument_version),
        "branch_id": branch_id,
        "customer_id": customer_id,
        "ticket_id": str(ticket_id) if ticket_id else None,
        "scores": cast(Scores, dict(scores)),
        "answered_on": day.isoformat(),
    }
    return Event(
        type="service_desk.survey.answered.v1", subject=str(survey_id), version=2, day=day, data=data
    )


def feedback_recorded(
    *,
    feedback_id: UUID,
    ticket_id: UUID,
    branch_id: str,
    month: date,
    channel: str,
    kind: str,
    taken_on: date,
) -> Event[FeedbackRecorded]:
    data: FeedbackRecorded = {
        "feedback_id": str(feedback_id),
        "ticket_id": str(ticket_id),
        "branch_id": branch_id,
        "month": month.isoformat(),
        "channel": str(channel),
        "kind": str(kind),
        "taken_on": taken_on.isoformat(),
    }
    return Event(
        type="service_desk.feedback.recorded.v1",
        subject=str(feedback_id),
        version=1,
        day=taken_on,
        data=data,
    )


def feedback_ledger_closed(
    *, ledger_id: UUID, branch_id: str, month: date, records: int, on_time: bool, at: datetime
) -> Event[FeedbackLedgerClosed]:
    data: FeedbackLedgerClosed = {
        "branch_id": branch_id,
        "month": month.isoformat(),
        "records": records,
        "on_time": on_time,
    }
    return Event(
        type="service_desk.feedback_ledger.closed.v1",
        subject=str(ledger_id),
        version=1,
        day=business_date(at),
        data=data,
    )


def _ticket(fact: str, ticket_id: UUID, version: int, day: date, data: Told) -> Event[Told]:
    return Event(
        type=f"service_desk.ticket.{fact}.v1", subject=str(ticket_id), version=version, day=day, data=data
    )
