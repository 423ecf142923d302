"""Business days follow the PRC calendar: weekday, the year's notice, days that a notice changed afterwards."""

from datetime import UTC, date, datetime

import pytest

from shared.calendar import Calendar, CalendarUnknown

PACKAGED = Calendar()


def test_a_make_up_sunday_is_a_working_day():
    assert PACKAGED.is_workday(date(2025, 1, 26))
    assert not PACKAGED.is_workday(date(2025, 1, 28))


@pytest.mark.requirement("R6")
def test_the_next_business_day_skips_spring_festival():
    friday_before = datetime(2025, 1, 27, 2, tzinfo=UTC)
    assert PACKAGED.end_of_business_day(friday_before, 1) == datetime(2025, 2, 5, 16, tzinfo=UTC)


def test_days_are_counted_after_the_day_itself():
    assert PACKAGED.add_business_days(date(2025, 6, 6), 1) == date(2025, 6, 9)


def test_a_year_without_an_approved_table_refuses_and_names_itself():
    with pytest.raises(CalendarUnknown) as refused:
        PACKAGED.is_workday(date(2099, 1, 1))
    assert refused.value.context["year"] == 2099


def test_a_year_that_a_notice_announced_is_computed():
    told = Calendar(days={date(2099, 1, 1): False, date(2099, 1, 3): True}, years=frozenset({2099}))
    days = [told.is_workday(date(2099, 1, day)) for day in range(1, 6)]
    assert days == [False, True, True, False, True], "Thursday off, Saturday made up, Sunday off"


def test_a_day_changed_afterwards_overrules_what_is_packaged():
    extended = Calendar(days={date(2026, 2, 24): False})
    assert PACKAGED.is_workday(date(2026, 2, 24))
    assert not extended.is_workday(date(2026, 2, 24))
    assert extended.is_workday(date(2026, 2, 25))


def test_one_day_that_a_notice_changed_announces_no_year():
    with pytest.raises(CalendarUnknown):
        Calendar(days={date(2099, 1, 1): False}).is_workday(date(2099, 1, 2))
