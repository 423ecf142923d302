"""Holidays as reporting's approved notices announce them, kept by every service that computes in working days.

Reporting owns the notices (area `holidays`) and publishes each approved one whole. What is kept are the days by the
number of their notice: of a day that several notices tell, the one with the highest number counts, so any order of
events and any repetition gives the same calendar. A deadline that was computed and kept remembers the number of the
newest notice it knew (`in_force`), so that it is computed again when there is a newer one.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from types import ModuleType
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct
from sqlalchemy import Boolean, Column, Connection, Date, Integer, text

from shared.areas import Area
from shared.calendar import Calendar
from shared.consumer import in_sets
from shared.events import Envelope
from shared.refilling import Projection
from shared.texts import COUNT_MAX, FIRST_DAY, LAST_DAY
from shared.transaction import Tx

ANNOUNCED: Final = "reporting.holidays.announced.v1"
DAYS_MAX: Final = 100
"""Days of one notice, on either side; a year's has about thirty."""
NOTICES: Final = "holiday_notices_known"
DAYS: Final = "holidays_known"
FILLED_ANEW: Final = "filled anew when reporting has lost the end of its log"

Year = Annotated[int, Meta(ge=FIRST_DAY.year, le=LAST_DAY.year, description="a year, 2000 to 2099")]
ListOfDays = Annotated[list[date], Meta(max_length=DAYS_MAX)]


class Announced(Struct, frozen=True, kw_only=True):
    """What is read of ANNOUNCED: the days of a notice, and the year whose whole table it is, if it is one."""

    number: Annotated[int, Meta(ge=1, le=COUNT_MAX)]
    year: Year | None
    rest_days: ListOfDays
    workdays: ListOfDays


@dataclass(frozen=True, slots=True, kw_only=True)
class InForce:
    """The calendar as this service knows it, and the number of the newest notice in it; 0 without any."""

    calendar: Calendar
    number: int


def notice_columns() -> list[Column[Any]]:
    """Of the table NOTICES, which migrations make by shared.holidays_migration: the year is that whose table it tells."""
    return [Column("number", Integer, primary_key=True, autoincrement=False), Column("year", Integer)]


def day_columns() -> list[Column[Any]]:
    """Of the table DAYS."""
    return [
        Column("day", Date, primary_key=True),
        Column("number", Integer, primary_key=True, autoincrement=False),
        Column("is_workday", Boolean, nullable=False),
    ]


_KEEP_NOTICES = text(
    "insert into holiday_notices_known (number, year)"
    " select * from unnest(cast(:numbers as int[]), cast(:years as int[])) order by 1 on conflict do nothing"
)
_KEEP_DAYS = text(
    "insert into holidays_known (day, number, is_workday)"
    " select * from unnest(cast(:days as date[]), cast(:numbers as int[]), cast(:works as boolean[]))"
    " order by 1, 2 on conflict do nothing"
)
_NOTICES_KNOWN = text("select number, year from holiday_notices_known")
_DAYS_IN_FORCE = text(
    "select distinct on (day) day, is_workday from holidays_known order by day, number desc"
)


def keep(tx: Tx, notices: Iterable[Announced]) -> None:
    """Know these notices from now on; one that is known already stays as it is."""
    told = list(notices)
    tx.conn.execute(
        _KEEP_NOTICES, {"numbers": [each.number for each in told], "years": [each.year for each in told]}
    )
    rows = [
        (day, each.number, is_workday)
        for each in told
        for days, is_workday in ((each.rest_days, False), (each.workdays, True))
        for day in days
    ]
    if rows:
        days, numbers, works = zip(*rows, strict=True)
        tx.conn.execute(_KEEP_DAYS, {"days": list(days), "numbers": list(numbers), "works": list(works)})


def in_force(conn: Connection) -> InForce:
    """The calendar of packaged years and of every notice that is known here."""
    notices = conn.execute(_NOTICES_KNOWN).all()
    if not notices:
        return InForce(calendar=Calendar(), number=0)
    return InForce(
        calendar=Calendar(
            days={row.day: row.is_workday for row in conn.execute(_DAYS_IN_FORCE)},
            years=frozenset(row.year for row in notices if row.year is not None),
        ),
        number=max(row.number for row in notices),
    )


def calendar(conn: Connection) -> Calendar:
    """For who computes and keeps nothing."""
    return in_force(conn).calendar


def _on_announced(tx: Tx, envelopes: Sequence[Envelope]) -> None:
    """Raises msgspec.ValidationError."""
    keep(tx, [msgspec.convert(each.data, Announced) for each in envelopes])


_REACTIONS = {ANNOUNCED: _on_announced}


def area(tables: ModuleType) -> Area:
    """The area of a service that listens to reporting; `tables` describes NOTICES and DAYS."""
    return Area(
        tables=tables,
        reactions=[in_sets(_REACTIONS)],
        copies={"reporting": Projection(tables=(DAYS, NOTICES), reactions=_REACTIONS)},
    )
