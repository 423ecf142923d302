"""Readers take one value out of a JSON object, check it, and give the text form that PostgreSQL's COPY takes.

A value that is missing, negative or of the wrong kind is refused as `event_malformed`. This is the hot path of
the consumer and of the rebuild: plain functions, no schema library, a few microseconds per event.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any, Final

from shared.errors import Invalid
from shared.texts import CONTROL, FIRST_DAY, LABEL_CHARS_MAX, LAST_DAY

NULL: Final = r"\N"
UNWANTED: Final = re.compile(f"[{CONTROL}]")
NUMBER_MAX: Final = 2**53
FIRST_YEAR, LAST_YEAR = FIRST_DAY.year, LAST_DAY.year
"""Each month of `day` becomes a partition, so a nonsensical year must not."""
Object = Mapping[str, Any]
Reader = Callable[[Object], str]


class EventMalformed(Invalid):
    code = "event_malformed"


def copy_text(value: Any, name: str) -> str:
    """`value` as COPY text; control characters are refused, a backslash is escaped."""
    if type(value) is str and len(value) <= LABEL_CHARS_MAX:
        if value.isprintable() and "\\" not in value:
            return value
        if not UNWANTED.search(value):
            return value.replace("\\", "\\\\")
    raise EventMalformed(f"{name} is not a text of at most {LABEL_CHARS_MAX} characters")


def text(name: str) -> Reader:
    def read(data: Object) -> str:
        return copy_text(data.get(name), name)

    return read


def optional_text(name: str, once: str | None = None) -> Reader:
    """NULL where it is not told. `once` is what events of before call it: logs are read from their beginning again."""

    def read(data: Object) -> str:
        value = data.get(name, data.get(once) if once else None)
        return NULL if value is None else copy_text(value, name)

    return read


def number(name: str, highest: int = NUMBER_MAX) -> Reader:
    """A whole number from 0: fen, basis points, seconds, counts."""

    def read(data: Object) -> str:
        value = data.get(name)
        if type(value) is int and 0 <= value <= highest:
            return str(value)
        raise EventMalformed(f"{name} is not a whole number from 0")

    return read


def optional_number(name: str) -> Reader:
    checked = number(name)

    def read(data: Object) -> str:
        return NULL if data.get(name) is None else checked(data)

    return read


def flag(name: str) -> Reader:
    def read(data: Object) -> str:
        value = data.get(name)
        if value is True:
            return "t"
        if value is False:
            return "f"
        raise EventMalformed(f"{name} is neither true nor false")

    return read


def day(name: str) -> Reader:
    def read(data: Object) -> str:
        try:
            return date.fromisoformat(data[name]).isoformat()
        except (KeyError, TypeError, ValueError) as error:
            raise EventMalformed(f"{name} is not a date") from error

    return read


def optional_day(name: str) -> Reader:
    checked = day(name)

    def read(data: Object) -> str:
        return NULL if data.get(name) is None else checked(data)

    return read


def month(name: str) -> Reader:
    """A month as `2017-03` or any of its days, stored as its first day."""

    def read(data: Object) -> str:
        try:
            value = data[name]
            return date.fromisoformat(value if len(value) > 7 else f"{value}-01").replace(day=1).isoformat()
        except (KeyError, TypeError, ValueError) as error:
            raise EventMalformed(f"{name} is not a month") from error

    return read


def instant(name: str) -> Reader:
    def read(data: Object) -> str:
        try:
            value = datetime.fromisoformat(data[name])
        except (KeyError, TypeError, ValueError) as error:
            raise EventMalformed(f"{name} is not an instant") from error
        if value.tzinfo is None:
            raise EventMalformed(f"{name} has no time zone")
        return value.astimezone(UTC).isoformat()

    return read


def score(dimension: str) -> Reader:
    """1 to 5, under `scores`."""

    def read(data: Object) -> str:
        scores = data.get("scores")
        value = scores.get(dimension) if type(scores) is dict else None
        if type(value) is int and 1 <= value <= 5:
            return str(value)
        raise EventMalformed(f"scores.{dimension} is not a whole number from 1 to 5")

    return read


def constant(value: str) -> Reader:
    def read(data: Object) -> str:
        return value

    return read


def signed_number(name: str) -> Reader:
    """An amount in fen that may be negative."""

    def read(data: Object) -> str:
        value = data.get(name)
        if type(value) is int and -NUMBER_MAX <= value <= NUMBER_MAX:
            return str(value)
        raise EventMalformed(f"{name} is not a whole number")

    return read
