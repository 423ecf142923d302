"""Working time equals what somebody counts who looks at every second of three years, whatever the hours and pauses."""

import random
from datetime import date, datetime, time, timedelta
from itertools import pairwise

import pytest

from shared.calendar import Calendar, CalendarUnknown
from shared.clock import SHANGHAI
from shared.working_time import NeverDue, WorkingHours, due_after, working_time

FIRST = datetime(2024, 1, 1, tzinfo=SHANGHAI)
DAYS = 366 + 365 + 365
DAY_S = 86_400
OFFICE = WorkingHours(on_workdays=((540, 720), (810, 1080)))
SHOP = WorkingHours(on_workdays=((480, 1290),), on_rest_days=((540, 1200),))
ALWAYS = WorkingHours(on_workdays=((0, 1440),), on_rest_days=((0, 1440),))

RESTS = {
    2024: "01-01 02-10..02-17 04-04..04-06 05-01..05-05 06-10 09-15..09-17 10-01..10-07",
    2025: "01-01 01-28..02-04 04-04..04-06 05-01..05-05 05-31..06-02 10-01..10-08",
    2026: "01-01..01-03 02-15..02-23 04-04..04-06 05-01..05-05 06-19..06-21 09-25..09-27 10-01..10-07",
}
"""As the General Office of the State Council announced them, written down here apart from any package."""
MADE_UP = {
    2024: "02-04 02-18 04-07 04-28 05-11 09-14 09-29 10-12",
    2025: "01-26 02-08 04-27 09-28 10-11",
    2026: "01-04 02-14 02-28 05-09 09-20 10-10",
}


def days_of(year: int, told: str) -> set[date]:
    found = set()
    for part in told.split():
        first, _, last = part.partition("..")
        day, end = (date.fromisoformat(f"{year}-{it}") for it in (first, last or first))
        while day <= end:
            found.add(day)
            day += timedelta(days=1)
    return found


def announced(day: date) -> bool:
    if day in days_of(day.year, MADE_UP[day.year]):
        return True
    return day.weekday() < 5 and day not in days_of(day.year, RESTS[day.year])


def every_second(hours: WorkingHours) -> bytearray:
    """One byte for each second of three years: whether somebody works in it."""

    def of_day(spans) -> bytes:
        return bytes(any(start * 60 <= second < end * 60 for start, end in spans) for second in range(DAY_S))

    on_workday, on_rest_day = of_day(hours.on_workdays), of_day(hours.on_rest_days)
    seconds = bytearray()
    for offset in range(DAYS):
        seconds += on_workday if announced(FIRST.date() + timedelta(days=offset)) else on_rest_day
    return seconds


def moment(second: int) -> datetime:
    return FIRST + timedelta(seconds=second)


def random_pauses(chance: random.Random, start: int, end: int) -> list[tuple[int, int]]:
    """Up to six, some of them overlapping, some empty, some reaching beyond the span."""
    found = []
    for _ in range(chance.randrange(7)):
        begin = chance.randrange(max(0, start - DAY_S), end + DAY_S)
        found.append((begin, min(DAYS * DAY_S, begin + chance.choice((0, 60, 3_600, 200_000)))))
    return found


def test_the_packaged_table_is_what_was_announced():
    days = [FIRST.date() + timedelta(days=offset) for offset in range(DAYS)]
    assert [Calendar().is_workday(day) for day in days] == [announced(day) for day in days]


@pytest.mark.parametrize("hours", [OFFICE, SHOP, ALWAYS], ids=["office", "shop", "always"])
def test_working_time_is_what_counting_every_second_gives(hours):
    chance = random.Random(2024)
    works = every_second(hours)
    for _ in range(150):
        start = chance.randrange(DAYS * DAY_S)
        end = min(DAYS * DAY_S, start + chance.choice((1, 600, DAY_S, 10 * DAY_S, DAYS * DAY_S)))
        paused = random_pauses(chance, start, end)
        left = works[start:end]
        for begin, until in paused:
            inside = max(begin - start, 0), max(min(until, end) - start, 0)
            if inside[1] > inside[0]:
                left[inside[0] : inside[1]] = bytes(inside[1] - inside[0])
        pauses = [(moment(begin), moment(until)) for begin, until in paused]
        counted = timedelta(seconds=left.count(1))
        assert working_time(Calendar(), hours, moment(start), moment(end), pauses) == counted
        if counted:
            due = due_after(Calendar(), hours, moment(start), counted, pauses)
            last = left.rindex(1)
            assert due == moment(start + last + 1)


def test_time_divides_at_any_moment():
    chance = random.Random(7)
    cuts = sorted(
        moment(chance.randrange(DAYS * DAY_S)) + timedelta(microseconds=chance.randrange(10**6))
        for _ in range(60)
    )
    pieces = [working_time(Calendar(), OFFICE, start, end) for start, end in pairwise(cuts)]
    assert sum(pieces, timedelta()) == working_time(Calendar(), OFFICE, cuts[0], cuts[-1])


def test_an_hour_that_begins_on_friday_evening_ends_on_the_next_morning_of_work():
    friday = datetime(2026, 9, 18, 17, 50, tzinfo=SHANGHAI)
    made_up_sunday = datetime(2026, 9, 20, 9, 50, tzinfo=SHANGHAI)
    assert due_after(Calendar(), OFFICE, friday, timedelta(hours=1)) == made_up_sunday


def test_nothing_is_due_where_nobody_works():
    with pytest.raises(NeverDue):
        due_after(Calendar(years=frozenset(range(2024, 2030))), WorkingHours(()), FIRST, timedelta(seconds=1))


def test_a_deadline_that_reaches_into_a_year_not_announced_names_the_year():
    new_years_eve = datetime.combine(date(2098, 12, 31), time(17), SHANGHAI)
    calendar = Calendar(years=frozenset({2098}))
    with pytest.raises(CalendarUnknown) as refused:
        due_after(calendar, OFFICE, new_years_eve, timedelta(hours=2))
    assert refused.value.context["year"] == 2099


@pytest.mark.parametrize(
    "spans", [((600, 540),), ((0, 1441),), ((540, 720), (700, 800)), ((540, 720), (720, 800)), ((-1, 5),)]
)
def test_hours_that_no_day_has_are_refused(spans):
    with pytest.raises(AssertionError):
        WorkingHours(spans)
