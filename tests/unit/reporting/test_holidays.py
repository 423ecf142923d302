"""What a notice of holidays may say: whatever only a slip of the pen can say is refused by its name."""

from datetime import date, timedelta

import pytest

from reporting.holidays.rules import (
    HolidayElsewhere,
    MadeUpOnWeekday,
    StatutoryDayMissing,
    require_plausible,
    statutory_days,
)
from shared.calendar import Calendar

LAW = ("01-01", "05-01", "05-02", "10-01", "10-02", "10-03")


def days(year, *told):
    return [date.fromisoformat(f"{year}-{day}") for day in told]


@pytest.mark.parametrize("year", [2024, 2025, 2026])
def test_the_table_of_a_year_as_it_was_announced_is_taken(year):
    every = [date(year, 1, 1) + timedelta(days=offset) for offset in range(366)]
    year_only = [day for day in every if day.year == year]
    rests = [day for day in year_only if not Calendar().is_workday(day)]
    made_up = [day for day in year_only if Calendar().is_workday(day) and day.weekday() > 4]
    require_plausible(year, rests, made_up)


def test_a_day_of_the_year_beside_may_be_made_up():
    require_plausible(2019, days(2019, *LAW), [date(2018, 12, 29)])


@pytest.mark.parametrize("day", [date(2026, 6, 1), date(2028, 2, 1), date(2072, 1, 2)])
def test_a_day_of_another_year_is_refused_and_named(day):
    with pytest.raises(HolidayElsewhere) as refused:
        require_plausible(2027, [*days(2027, *LAW), day], [])
    assert refused.value.context["days"] == [day.isoformat()]


def test_nobody_makes_up_on_a_weekday():
    with pytest.raises(MadeUpOnWeekday) as refused:
        require_plausible(2027, days(2027, *LAW), [date(2027, 2, 20), date(2027, 2, 22)])
    assert refused.value.context["days"] == ["2027-02-22"]


@pytest.mark.parametrize("missing", LAW)
def test_a_year_without_one_of_the_holidays_of_fixed_date_was_not_entered_whole(missing):
    with pytest.raises(StatutoryDayMissing) as refused:
        require_plausible(2027, days(2027, *(day for day in LAW if day != missing)), [])
    assert refused.value.context["days"] == [f"2027-{missing}"]


def test_the_second_of_may_is_a_holiday_from_2025_on():
    assert date(2024, 5, 2) not in statutory_days(2024)
    assert date(2025, 5, 2) in statutory_days(2025)


def test_single_days_may_be_changed_whatever_they_are():
    require_plausible(None, [date(2027, 9, 3)], [date(2027, 9, 6)])
