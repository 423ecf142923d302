"""Deadlines in business days, decided without knowing the calendar of days to come.

Source: model 3.0 (BusinessCalendar)
"""

from datetime import date, timedelta

from shared.calendar import CalendarUnknown, add_business_days, is_workday


def is_within(start: date, today: date, count: int) -> bool:
    """Whether `today` is no later than the `count`-th business day after `start`.

    Raises CalendarUnknown only where days that have passed belong to a year without an approved table.
    """
    passed = (today - start).days
    if passed <= count:
        return True
    begun = 0
    for offset in range(1, passed):
        begun += is_workday(start + timedelta(days=offset))
        if begun >= count:
            return False
    return True


def due_on(start: date, count: int) -> date | None:
    """The `count`-th business day after `start`; None where it lies in a year whose calendar is not known yet."""
    try:
        return add_business_days(start, count)
    except CalendarUnknown:
        return None
