"""How long a decision took, in working time of the offices that decide.

Elapsed hours would make every return that came in on a Friday afternoon look late.
Source: M13
"""

from datetime import date, datetime
from functools import cache

from returns.kernel.dated import rows_of
from shared.calendar import Calendar, CalendarUnknown
from shared.clock import business_date
from shared.working_time import WorkingHours, working_time


def business_s(calendar: Calendar, start: datetime, end: datetime) -> int | None:
    """Whole seconds of working time, rounded down; None where holidays of the time between are not announced."""
    hours = office_hours(start)
    try:
        return int(working_time(calendar, hours, start, end).total_seconds())
    except CalendarUnknown:
        return None


def office_hours(at: datetime) -> WorkingHours:
    """Those in force on the day of `at`."""
    day = business_date(at)
    rows = [row for row in _rows() if row[0] <= day]
    return max(rows, key=lambda row: row[0])[1] if rows else _rows()[0][1]


@cache
def _rows() -> list[tuple[date, WorkingHours]]:
    return [
        (
            row["effective_from"],
            WorkingHours(
                on_workdays=tuple(map(_span, row["on_workdays"])),
                on_rest_days=tuple(map(_span, row["on_rest_days"])),
            ),
        )
        for row in rows_of("returns.approvals", "office_hours.json")
    ]


def _span(text: str) -> tuple[int, int]:
    """`09:00-12:00` → (540, 720)."""
    start, end = (int(each[:2]) * 60 + int(each[3:]) for each in text.split("-"))
    return start, end
