"""The fact that holidays were announced."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Final, TypedDict

from msgspec import Meta

from reporting.holidays.model import Notice
from shared import holidays
from shared.events import Event
from shared.texts import COUNT_MAX, Day, Id, Lot

HolidayNumber = Annotated[int, Meta(ge=1, le=COUNT_MAX, description="a whole number from 1")]
Days = Annotated[list[Day], Meta(max_length=holidays.DAYS_MAX)]


class HolidaysAnnounced(TypedDict):
    """Of a day that several notices tell, the one with the highest `number` counts.

    `year`: the notice tells the whole table of that year; null: it changes single days.
    """

    notice_id: Id
    number: HolidayNumber
    reference: Lot
    announced_on: Day
    year: holidays.Year | None
    rest_days: Days
    workdays: Days


def holidays_announced(notice: Notice, number: int, day: date) -> Event[HolidaysAnnounced]:
    return Event(
        type=holidays.ANNOUNCED,
        subject=str(notice.id),
        version=1,
        day=day,
        data={
            "notice_id": str(notice.id),
            "number": number,
            "reference": notice.reference,
            "announced_on": notice.announced_on.isoformat(),
            "year": notice.year,
            "rest_days": [each.isoformat() for each in notice.rest_days],
            "workdays": [each.isoformat() for each in notice.workdays],
        },
    )


PUBLISHED: Final[Mapping[str, type]] = {holidays.ANNOUNCED: HolidaysAnnounced}
