"""Months close by the calendar: never before their last day is over, and late by so many days after the fifth."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finance.kernel.period import (
    MonthInvalid,
    PeriodNotOver,
    late_days,
    month_text,
    parse_month,
    require_over,
)


@pytest.mark.requirement("F2")
@given(st.dates(date(2001, 1, 1), date(2100, 1, 1)), st.dates(date(2001, 1, 1), date(2100, 1, 1)))
def test_a_month_is_over_on_the_first_day_of_the_next_and_not_before(month, today):
    month = month.replace(day=1)
    if (today.year, today.month) > (month.year, month.month):
        require_over(month, today)
    else:
        with pytest.raises(PeriodNotOver):
            require_over(month, today)


@pytest.mark.requirement("F2")
@pytest.mark.parametrize(("today", "days"), [(date(2026, 3, 1), 0), (date(2026, 3, 5), 0), (date(2026, 3, 6), 1), (date(2026, 4, 5), 31)])  # fmt: skip
def test_a_month_closed_after_the_fifth_day_is_late(today, days):
    assert late_days(date(2026, 2, 1), today) == days


@given(st.dates(date(2000, 1, 1), date(2099, 12, 31)))
def test_a_month_is_read_as_it_is_written(day):
    first = day.replace(day=1)
    assert parse_month(month_text(first)) == first


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026",
        "2026-13",
        "2026-1",
        "2026-00",
        "26-01-01",
        "2026-01-01",
        "x",
        "1999-12",
        "2100-01",
        "9999-12",
    ],
)
def test_what_is_no_month_is_refused(text):
    with pytest.raises(MonthInvalid):
        parse_month(text)
