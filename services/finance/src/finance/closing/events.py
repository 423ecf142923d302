"""What is told of months."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Annotated, Final, TypedDict

from shared.clock import SHANGHAI
from shared.events import Event
from shared.texts import Day, Many, Month, Name

PERIOD_CLOSED = "finance.period.closed.v1"
PERIOD_LOCKED = "finance.period.locked.v1"
PERIOD_REOPENED = "finance.period.reopened.v1"
SUB_LEDGERS_PROVED = "finance.sub_ledgers.proved.v1"


class Period(TypedDict):
    book: Name
    month: Month


class SubLedgersProved(TypedDict):
    """Every sub-ledger was set against its control account; `differing` are the codes of those that were not equal.

    Told several times a day: a day's books were proved when no fact of the day differs.
    """

    book: Name
    day: Day
    ok: bool
    differing: Annotated[list[Name], Many]


PUBLISHED: Final[Mapping[str, type]] = {
    PERIOD_CLOSED: Period,
    PERIOD_LOCKED: Period,
    PERIOD_REOPENED: Period,
    SUB_LEDGERS_PROVED: SubLedgersProved,
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


def sub_ledgers_proved(*, book: str, at: datetime, differing: Sequence[str]) -> Event[SubLedgersProved]:
    """What a proof at an instant found; its version is the second of the day."""
    local = at.astimezone(SHANGHAI)
    day = local.date()
    return Event(
        type=SUB_LEDGERS_PROVED,
        subject=f"{book}:sub_ledgers:{day.isoformat()}",
        version=1 + local.hour * 3600 + local.minute * 60 + local.second,
        day=day,
        data={"book": book, "day": day.isoformat(), "ok": not differing, "differing": list(differing)},
    )
