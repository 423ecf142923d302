"""The PRC business calendar: weekends, statutory holidays and make-up workdays.

Three layers, the later over the earlier: the weekday, the table of the year as its notice announced it, single days
that a notice changed afterwards. Years up to the last that `chinesecalendar` knows are packaged; later ones, and days
that were changed, are what notices entered by people say (`shared.holiday_notices`).

A year that no notice announced refuses to compute: there is no silent weekday fallback. Who shows a deadline that
reaches into such a year says so, and computes it when the notice is there.
Source: model 3.0 (BusinessCalendar)
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

import chinese_calendar

from shared.clock import SHANGHAI, business_date
from shared.errors import Unavailable
from shared.languages import Text

WEEKDAYS = 5
"""Monday to Friday."""


class CalendarUnknown(Unavailable):
    """`year` is the one whose notice of holidays is not entered yet."""

    code = "calendar_unknown"
    cure = "Enter the notice of that year's holidays in reporting, and have it approved; then send the same again."


@dataclass(frozen=True, slots=True)
class Calendar:
    """`days` are exceptions that notices told, True for work; `years` those whose whole table notices told."""

    days: Mapping[date, bool] = field(default_factory=dict)
    years: frozenset[int] = frozenset()

    def is_workday(self, day: date) -> bool:
        """True on working days, make-up Saturdays and Sundays included. Raises CalendarUnknown."""
        told = self.days.get(day)
        if told is not None:
            return told
        if day.year in self.years:
            return day.weekday() < WEEKDAYS
        try:
            return bool(chinese_calendar.is_workday(day))
        except NotImplementedError as error:
            raise CalendarUnknown(
                Text("no notice of the holidays of {year} was entered", year=day.year),
                retry_after_s=86_400,
                year=day.year,
            ) from error

    def add_business_days(self, day: date, count: int) -> date:
        """The `count`-th working day after `day` (count ≥ 1). Raises CalendarUnknown."""
        assert count >= 1
        while count:
            day += timedelta(days=1)
            count -= self.is_workday(day)
        return day

    def end_of_business_day(self, instant: datetime, count: int) -> datetime:
        """Midnight in Shanghai that ends the `count`-th working day after the day of `instant`.

        Raises CalendarUnknown. Source: R6, D10
        """
        day = self.add_business_days(business_date(instant), count)
        return datetime.combine(day + timedelta(days=1), time.min, SHANGHAI)

    def is_within(self, start: date, today: date, count: int) -> bool:
        """Whether `today` is no later than the `count`-th working day after `start`.

        Days to come need not be known: raises CalendarUnknown only where days that have passed belong to a year that
        is not announced.
        """
        passed = (today - start).days
        if passed <= count:
            return True
        begun = 0
        for offset in range(1, passed):
            begun += self.is_workday(start + timedelta(days=offset))
            if begun >= count:
                return False
        return True

    def is_overdue(self, start: date, today: date, count: int) -> bool | None:
        """Whether the `count`-th working day after `start` is over; None where that cannot be known yet."""
        try:
            return not self.is_within(start, today, count)
        except CalendarUnknown:
            return None

    def due_on(self, start: date, count: int) -> date | None:
        """The `count`-th working day after `start`; None where it reaches into a year that is not announced."""
        try:
            return self.add_business_days(start, count)
        except CalendarUnknown:
            return None

    def awaited_year(self, day: date) -> int:
        """The first year from that of `day` on that is not announced: what a deadline without a day waits for."""
        year = day.year
        while self._is_known(year):
            year += 1
        return year

    def _is_known(self, year: int) -> bool:
        if year in self.years:
            return True
        try:
            chinese_calendar.is_workday(date(year, 1, 1))
        except NotImplementedError:
            return False
        return True
