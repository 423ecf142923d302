"""A decision takes the working time of the offices that decide, and none of their nights, weekends and holidays."""

from datetime import date, datetime

import pytest

from returns.approvals.rules import business_s, office_hours
from shared.calendar import Calendar
from shared.clock import SHANGHAI

HOUR = 3_600


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("asked", "decided", "seconds"),
    [
        ("2026-03-06T17:00", "2026-03-09T10:00", 2 * HOUR),
        ("2026-03-06T11:30", "2026-03-06T14:00", HOUR),
        ("2026-03-07T10:00", "2026-03-08T20:00", 0),
        ("2026-02-13T17:00", "2026-02-24T10:00", 2 * HOUR + 27_000),
        ("2026-03-06T17:00:00.900", "2026-03-06T17:00:02", 1),
    ],
    ids=[
        "over a weekend",
        "over noon",
        "on a weekend",
        "over the spring festival, a Saturday made up",
        "split seconds",
    ],
)
def test_only_working_time_counts(asked, decided, seconds):
    assert business_s(Calendar(), at(asked), at(decided)) == seconds


def test_nothing_is_guessed_where_holidays_are_not_announced():
    assert business_s(Calendar(), at("2099-03-06T17:00"), at("2099-03-09T10:00")) is None
    announced = Calendar(days={date(2099, 3, 9): False}, years=frozenset({2099}))
    assert business_s(announced, at("2099-03-06T17:00"), at("2099-03-10T10:00")) == 2 * HOUR


def test_a_servers_clock_that_was_set_back_makes_no_time():
    assert business_s(Calendar(), at("2026-03-06T10:00"), at("2026-03-06T09:30")) == 0


def test_hours_are_dated_and_hold_before_their_first_day_too():
    assert office_hours(at("2019-01-02T10:00")) == office_hours(at("2026-01-05T10:00"))
