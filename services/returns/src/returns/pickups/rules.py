"""When goods are to be fetched. Source: R6"""

from datetime import datetime

from shared.calendar import Calendar, CalendarUnknown
from shared.clock import business_date

DAYS = 1
"""By the end of the next working day."""


def due_at(calendar: Calendar, ordered_at: datetime) -> datetime | None:
    """None while the holidays of its year are not announced."""
    try:
        return calendar.end_of_business_day(ordered_at, DAYS)
    except CalendarUnknown:
        return None


def is_on_time(calendar: Calendar, ordered_at: datetime, *, due_at: datetime | None, now: datetime) -> bool:
    """Whether goods fetched `now` are fetched in time.

    Raises CalendarUnknown where the order has no due moment and days that have passed are not announced.
    """
    if due_at is not None:
        return now <= due_at
    return calendar.is_within(business_date(ordered_at), business_date(now), DAYS)
