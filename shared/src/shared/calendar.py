"""The PRC business calendar: weekends, statutory holidays and make-up workdays.

A year that `chinesecalendar` does not know refuses to compute; there is no silent weekday fallback.
"""

from datetime import date, datetime, time, timedelta

import chinese_calendar

from shared.clock import SHANGHAI, business_date
from shared.errors import Unavailable
from shared.languages import Text


class CalendarUnknown(Unavailable):
    """The approved holiday table of that year is not there yet."""

    code = "calendar_unknown"
    cure = "Tell the operator: the packaged holiday calendar must be brought up to date."


def is_workday(day: date) -> bool:
    """True on working days, make-up Saturdays and Sundays included. Raises CalendarUnknown."""
    try:
        return bool(chinese_calendar.is_workday(day))
    except NotImplementedError as error:
        raise CalendarUnknown(
            Text(
                "the holiday calendar of {year} is not known; install a newer chinesecalendar", year=day.year
            ),
            retry_after_s=86_400,
        ) from error


def add_business_days(day: date, count: int) -> date:
    """The `count`-th working day after `day` (count ≥ 1). Raises CalendarUnknown."""
    assert count >= 1
    while count:
        day += timedelta(days=1)
        count -= is_workday(day)
    return day


def end_of_next_business_day(instant: datetime) -> datetime:
    """Midnight in Shanghai that ends the first working day after the day of `instant`. Source: R6."""
    day = add_business_days(business_date(instant), 1)
    return datetime.combine(day + timedelta(days=1), time.min, SHANGHAI)
