"""The facts this service publishes: one builder per event; payloads hold ids and numbers, never text of people.

A month is written as its first day.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from shared.clock import business_date
from shared.events import Event


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
) -> Event:
    """`opened_at` is the intake, from which the clocks run; it counts to the intake's day."""
    data = {
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
) -> Event:
    """A handler is assigned and has reached the customer: the 24-hour clock stopped after `arranged_s`."""
    data = {
        "ticket_id": str(ticket_id),
        "branch_id": branch_id,
        "arranged_s": arranged_s,
        "on_time": on_time,
    }
    return _ticket("assigned", ticket_id, version, business_date(at), data)


def clock_breached(
    *, ticket_id: UUID, version: int, branch_id: str, cycle: int, clock: str, late_s: int, at: datetime
) -> Event:
    """Told once per clock and cycle; `late_s` is the lateness when it was noticed."""
    data = {
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
) -> Event:
    data = {
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
) -> Event:
    data = {
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
) -> Event:
    day = business_date(at)
    data = {
        "survey_id": str(survey_id),
        "instrument_version": str(instrument_version),
        "branch_id": branch_id,
        "customer_id": customer_id,
        "ticket_id": str(ticket_id) if ticket_id else None,
        "scores": dict(scores),
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
) -> Event:
    data = {
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
) -> Event:
    data = {
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


def _ticket(fact: str, ticket_id: UUID, version: int, day: date, data: dict[str, Any]) -> Event:
    return Event(
        type=f"service_desk.ticket.{fact}.v1", subject=str(ticket_id), version=version, day=day, data=data
    )
