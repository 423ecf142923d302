"""What a notice of holidays may say.

A notice of a year tells its whole table; one without a year changes single days that are known already. Every year has
the holidays of fixed date, so a notice of a year that lacks one was not entered whole.
Source: model 3.0 (BusinessCalendar)
"""

import json
from collections.abc import Collection
from datetime import date, timedelta
from functools import cache
from importlib.resources import files

from shared.calendar import WEEKDAYS
from shared.errors import Invalid
from shared.languages import Text

BESIDE = timedelta(days=31)
"""How far into the years beside it the notice of a year may reach: that of 2019 made 29 December 2018 a workday."""


class HolidayElsewhere(Invalid):
    """`days` lie too far from the year that the notice is of."""

    code = "holiday_elsewhere"
    cure = "Mend the day or the year; change single days of another year by a notice without a year."


class MadeUpOnWeekday(Invalid):
    """`days` are Mondays to Fridays: they are workdays without being told."""

    code = "made_up_on_weekday"
    cure = "Make up for holidays on a Saturday or Sunday; compare the day with the notice."


class StatutoryDayMissing(Invalid):
    """`days` are holidays by law in every year, and the notice of the year does not tell them."""

    code = "statutory_day_missing"
    cure = "Enter all holidays of the year, weekends among them included."


def require_plausible(year: int | None, rest_days: Collection[date], workdays: Collection[date]) -> None:
    """What only a slip of the pen can say. Raises HolidayElsewhere, MadeUpOnWeekday, StatutoryDayMissing."""
    if year is None:
        return
    first, last = date(year, 1, 1) - BESIDE, date(year, 12, 31) + BESIDE
    if elsewhere := [day for day in (*rest_days, *workdays) if not first <= day <= last]:
        raise HolidayElsewhere(
            Text("not of {year}: {days}", year=year, days=_told(elsewhere)), days=_iso(elsewhere)
        )
    if on_weekdays := [day for day in workdays if day.weekday() < WEEKDAYS]:
        raise MadeUpOnWeekday(
            Text("workdays anyway: {days}", days=_told(on_weekdays)), days=_iso(on_weekdays)
        )
    if missing := statutory_days(year) - set(rest_days):
        raise StatutoryDayMissing(
            Text("holidays by law, not told: {days}", days=_told(missing)), days=_iso(missing)
        )


def statutory_days(year: int) -> set[date]:
    """The holidays of fixed date of that year, by the law in force on its first day; none before there was a row."""
    rows = [row for row in _statutory() if row[0] <= date(year, 1, 1)]
    days = max(rows)[1] if rows else []
    return {date.fromisoformat(f"{year}-{day}") for day in days}


@cache
def _statutory() -> list[tuple[date, list[str]]]:
    rows = json.loads((files("reporting.holidays") / "data" / "rules.json").read_text(encoding="utf-8"))
    return [(date.fromisoformat(row["effective_from"]), row["days"]) for row in rows]


def _iso(days: Collection[date]) -> list[str]:
    return [day.isoformat() for day in sorted(days)]


def _told(days: Collection[date]) -> str:
    return ", ".join(_iso(days))
