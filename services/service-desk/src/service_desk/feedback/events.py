"""The facts about feedback; payloads hold ids and numbers, never text of people."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Final, TypedDict
from uuid import UUID

from service_desk.kernel.texts import Channels, FirstOfMonth, Kinds
from shared.clock import business_date
from shared.events import Event
from shared.texts import Branch, Count, Day, Id, Month


class FeedbackRecorded(TypedDict):
    """`ledger_month` is the month as every service writes it; `month`, its first day, is the same for older readers."""

    feedback_id: Id
    ticket_id: Id
    branch_id: Branch
    month: FirstOfMonth
    ledger_month: Month
    channel: Channels
    kind: Kinds
    taken_on: Day


class FeedbackLedgerClosed(TypedDict):
    """`ledger_month` is the month as every service writes it; `month`, its first day, is the same for older readers."""

    branch_id: Branch
    month: FirstOfMonth
    ledger_month: Month
    records: Count
    on_time: bool


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
        "ledger_month": f"{month:%Y-%m}",
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
        "ledger_month": f"{month:%Y-%m}",
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


PUBLISHED: Final[Mapping[str, type]] = {
    "service_desk.feedback.recorded.v1": FeedbackRecorded,
    "service_desk.feedback_ledger.closed.v1": FeedbackLedgerClosed,
}
