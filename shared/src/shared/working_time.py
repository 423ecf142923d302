"""Working time: what of a span of time falls into a branch's working hours, pauses taken out.

A matter that came in on Friday at 17:50 with an hour of working time is due on Monday at 08:50, or on the Sunday when
that is a make-up workday. A pause takes out what it has in common with working hours and nothing else: a matter that
rests over a weekend loses no time by it, and gains none.
Source: model 3.0 (clocks are values), D7
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from shared.calendar import Calendar
from shared.clock import SHANGHAI, business_date

DAYS_MAX = 1_100
"""How far a deadline may lie from its start: three years. Without working hours nothing is ever due."""

Span = tuple[datetime, datetime]
"""From the first moment to the second, which is no part of it."""


class NeverDue(Exception):
    """There is not so much working time in DAYS_MAX days."""


@dataclass(frozen=True, slots=True)
class WorkingHours:
    """Hours of a day in Shanghai, as minutes after midnight: `((540, 720), (810, 1080))` is 9:00–12:00, 13:30–18:00.

    A day ends at 1,440. `on_workdays` holds on working days, make-up days included, `on_rest_days` on all others.
    """

    on_workdays: Sequence[tuple[int, int]]
    on_rest_days: Sequence[tuple[int, int]] = ()

    def __post_init__(self) -> None:
        for hours in (self.on_workdays, self.on_rest_days):
            ends = [end for span in hours for end in span]
            assert ends == sorted(set(ends)), "hours follow one another and do not touch"
            assert not ends or (ends[0] >= 0 and ends[-1] <= 1_440)

    def of(self, calendar: Calendar, day: date) -> Iterator[Span]:
        """The working spans of one day. Raises CalendarUnknown."""
        midnight = datetime.combine(day, time.min, SHANGHAI)
        hours = self.on_workdays if calendar.is_workday(day) else self.on_rest_days
        for start, end in hours:
            yield midnight + timedelta(minutes=start), midnight + timedelta(minutes=end)


def working_time(
    calendar: Calendar, hours: WorkingHours, start: datetime, end: datetime, pauses: Iterable[Span] = ()
) -> timedelta:
    """The working time between two moments, exactly; zero when `end` is not after `start`. Raises CalendarUnknown."""
    total = timedelta()
    if end <= start:
        return total
    last = business_date(end - timedelta.resolution)
    for opens, closes in _spans(calendar, hours, start, last, pauses):
        total += max(timedelta(), min(closes, end) - opens)
    return total


def due_after(
    calendar: Calendar, hours: WorkingHours, start: datetime, allowed: timedelta, pauses: Iterable[Span] = ()
) -> datetime:
    """The first moment by which `allowed` (more than zero) of working time has passed since `start`.

    Raises CalendarUnknown, NeverDue.
    """
    assert allowed > timedelta()
    last = business_date(start) + timedelta(days=DAYS_MAX)
    for opens, closes in _spans(calendar, hours, start, last, pauses):
        if closes - opens >= allowed:
            return (opens + allowed).astimezone(start.tzinfo)
        allowed -= closes - opens
    raise NeverDue


def _spans(
    calendar: Calendar, hours: WorkingHours, start: datetime, last: date, pauses: Iterable[Span]
) -> Iterator[Span]:
    """Working spans after `start` to the end of the day `last`, in order, without what was paused."""
    paused = sorted((begin, end) for begin, end in pauses if end > begin)
    day = business_date(start)
    while day <= last:
        for opens, closes in hours.of(calendar, day):
            if closes > start:
                yield from _without(max(opens, start), closes, paused)
        day += timedelta(days=1)


def _without(opens: datetime, closes: datetime, paused: Sequence[Span]) -> Iterator[Span]:
    for begin, end in paused:
        if begin >= closes:
            break
        if begin > opens:
            yield opens, begin
        opens = max(opens, end)
        if opens >= closes:
            return
    if opens < closes:
        yield opens, closes
