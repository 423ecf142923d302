"""Business days follow the PRC calendar, make-up workdays included."""

from datetime import UTC, date, datetime

import pytest

from shared.calendar import CalendarUnknown, add_business_days, end_of_next_business_day, is_workday


def test_a_make_up_sunday_is_a_working_day():
    assert is_workday(date(2025, 1, 26))
    assert not is_workday(date(2025, 1, 28))


@pytest.mark.requirement("R6")
def test_the_next_business_day_skips_spring_festival():
    friday_before = datetime(2025, 1, 27, 2, tzinfo=UTC)
    assert end_of_next_business_day(friday_before) == datetime(2025, 2, 5, 16, tzinfo=UTC)


def test_days_are_counted_after_the_day_itself():
    assert add_business_days(date(2025, 6, 6), 1) == date(2025, 6, 9)


def test_a_year_without_an_approved_table_refuses():
    with pytest.raises(CalendarUnknown):
        is_workday(date(2099, 1, 1))
