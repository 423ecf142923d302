"""Accounting periods: a calendar month is open, then soft-closed, then locked; it never closes early.

Source: F2, G29, model 3.2
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from finance.kernel import dated
from shared.clock import next_month
from shared.errors import Conflict, Invalid, NotFound, Unavailable
from shared.languages import Text


class PeriodState(StrEnum):
    OPEN = "open"
    SOFT_CLOSED = "soft_closed"
    LOCKED = "locked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """A month and who closed it; `late_days` counts from the day by which it was to be closed, None while open."""

    month: date
    state: str
    version: int
    closed_by: str | None
    closed_at: datetime | None
    locked_by: str | None
    locked_at: datetime | None
    late_days: int | None


class PeriodClosed(Conflict):
    """A receipt of a closed month; with `late: true` it is booked to today."""

    code = "period_closed"
    cure = "Send a late receipt with `late`: true, date the voucher in an open month, or have the month re-opened."


class PeriodNotOver(Conflict):
    code = "period_not_over"
    cure = "Close the month when it is over."


class PeriodUnknown(NotFound):
    code = "period_unknown"
    cure = "Choose a month that something was booked to."


class PeriodNotOpen(Conflict):
    code = "period_not_open"
    cure = "Have the month re-opened first, or do it in an open one."


class PeriodNotClosed(Conflict):
    code = "period_not_closed"
    cure = "Close the month first; one that is locked stays as it is."


class EarlierPeriodOpen(Conflict):
    code = "earlier_period_open"
    cure = "Close the months one after another, beginning with the one that is named."


class LaterPeriodClosed(Conflict):
    """Months open again from the last closed one backwards."""

    code = "later_period_closed"
    cure = "Re-open the later month first."


class DraftsPending(Conflict):
    code = "drafts_pending"
    cure = "Approve or reject the vouchers that `vouchers` names, then close the month."


class YearNotTransferred(Conflict):
    """December closes when income and expense are empty."""

    code = "year_not_transferred"
    cure = "Have a finance head transfer the year's profit, then close this month."


class ReopeningNotFound(NotFound):
    code = "reopening_not_found"
    cure = "Look it up in the list of the month's requests."


class ReopeningPending(Conflict):
    code = "reopening_pending"
    cure = "Let the request that waits be decided first."


class JournalNotSealed(Unavailable):
    code = "journal_not_sealed"
    cure = "Send the same again after `Retry-After` seconds."


class JournalUnbalanced(Conflict):
    """Debits and credits of the month differ, or its lines from its sums: the books were tampered with."""

    code = "journal_unbalanced"
    cure = "Tell the operator: debits and credits of the month must be equal before it closes."


class SourcesBehind(Conflict):
    """Facts of the month are still on their way through other services; `obstacles` names each and how far it is."""

    code = "sources_behind"
    cure = "Wait until the service that is named has told everything, then close the month."


class SourcesUnreachable(Unavailable):
    """A service that books into the month cannot be asked whether it has told everything."""

    code = "sources_unreachable"
    cure = "Send the same again after `Retry-After` seconds; if it lasts, the operator looks at the service that is named."


class MonthInvalid(Invalid):
    code = "period_month_invalid"
    cure = "Write the month as YYYY-MM."


def parse_month(text: str) -> date:
    """`2026-11` as its first day; of 2000 to 2099. Raises MonthInvalid."""
    try:
        return date.fromisoformat(f"{text}-01" if len(text) == 7 and text.startswith("20") else "")
    except ValueError as error:
        raise MonthInvalid(
            "a month is written 2026-11", errors=[{"path": "month", "message": "YYYY-MM"}]
        ) from error


def month_text(month: date) -> str:
    return f"{month:%Y-%m}"


def require_over(month: date, today: date) -> None:
    """Raises PeriodNotOver unless the month's last calendar day has passed (G29: never early)."""
    if today < next_month(month):
        raise PeriodNotOver(
            Text("{month} is not over", month=month_text(month)), closes_from=str(next_month(month))
        )


def late_days(month: date, today: date) -> int:
    """Days by which a month closed on `today` is later than the calendar asks (G29); 0 when it is in time."""
    allowed: int = dated.value("period_rules", "month_closes_within_days", month)
    return max(0, (today - (next_month(month) + timedelta(days=allowed - 1))).days)


MANUAL, REVERSAL, OPENING = "manual", "reversal", "opening"


def eve_of(begins_on: date) -> date:
    return begins_on - timedelta(days=1)


class BeforeTheBooks(Invalid):
    code = "before_the_books"
    cure = "Use a day from the beginning of the books on."
