"""What is told of months."""

from collections.abc import Mapping
from datetime import date
from typing import Final, TypedDict

from shared.events import Event
from shared.texts import Month, Name

PERIOD_CLOSED = "finance.period.closed.v1"
PERIOD_LOCKED = "finance.period.locked.v1"
PERIOD_REOPENED = "finance.period.reopened.v1"


class Period(TypedDict):
    book: Name
    month: Month


PUBLISHED: Final[Mapping[str, type]] = {
    PERIOD_CLOSED: Period,
    PERIOD_LOCKED: Period,
    PERIOD_REOPENED: Period,
}


def period_closed(*, book: str, month: str, version: int, day: date) -> Event[Period]:
    return _period(PERIOD_CLOSED, book, month, version, day)


def period_locked(*, book: str, month: str, version: int, day: date) -> Event[Period]:
    return _period(PERIOD_LOCKED, book, month, version, day)


def period_reopened(*, book: str, month: str, version: int, day: date) -> Event[Period]:
    return _period(PERIOD_REOPENED, book, month, version, day)


def _period(event_type: str, book: str, month: str, version: int, day: date) -> Event[Period]:
    return Event(
        type=event_type,
        subject=f"{book}:{month}",
        version=version,
        day=day,
        data={"book": book, "month": month},
    )
