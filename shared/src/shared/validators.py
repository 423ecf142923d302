"""The types of `shared.texts` as marshmallow checks them, each fault told in words.

`of(Branch)` are the validators of a field of that type; `line` and `note` those of texts of another length.
"""

from datetime import UTC, date, datetime
from typing import Any, Final, get_args

from marshmallow import validate
from msgspec import Meta

from shared.texts import FIRST_DAY, LAST_DAY, LINE_PATTERN, NOTE_CHARS_MAX, NOTE_PATTERN

DAY: Final = validate.Range(FIRST_DAY, LAST_DAY)
"""Of every day that something is booked, ordered, delivered, valid from or until."""
LONG_AGO: Final = validate.Range(date(1900, 1, 1), LAST_DAY)
"""Of birthdays and old papers."""
ANY_DAY: Final = validate.Range(date.min, date.max)
"""Of days that are only compared, such as expiries, or whose bounds are a rule that refuses by a better name."""
ANY_INSTANT: Final = validate.Range(datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC))
"""Of instants whose bounds are a rule that refuses by a better name."""
INSTANT: Final = validate.Range(datetime(2000, 1, 1, tzinfo=UTC), datetime(2099, 12, 31, tzinfo=UTC))
BEGINS: Final = r"\A"
ENDS: Final = r"\Z"
_LINE_ERROR = "needs a visible character and no control characters"
_NOTE_ERROR = "needs a visible character and no control characters but line ends and tabs"


def of(kind: Any) -> list[validate.Validator]:
    """The validators of a text type of `shared.texts`: its length, then its form."""
    [meta] = [each for each in get_args(kind)[1:] if isinstance(each, Meta)]
    assert meta.pattern is not None
    return [
        validate.Length(meta.min_length, meta.max_length),
        validate.Regexp(meta.pattern, error=f"must be {meta.description}"),
    ]


def line(most: int) -> list[validate.Validator]:
    """A text of one line, 1 to `most` characters."""
    return [validate.Length(1, most), validate.Regexp(LINE_PATTERN, error=_LINE_ERROR)]


def maybe_line(most: int) -> list[validate.Validator]:
    """A text of one line, or none at all."""
    return [validate.Length(0, most), validate.Regexp(_or_nothing(LINE_PATTERN), error=_LINE_ERROR)]


def note(most: int = NOTE_CHARS_MAX) -> list[validate.Validator]:
    """A text that may have lines, 1 to `most` characters."""
    return [validate.Length(1, most), validate.Regexp(NOTE_PATTERN, error=_NOTE_ERROR)]


def maybe_note(most: int = NOTE_CHARS_MAX) -> list[validate.Validator]:
    """A text that may have lines, or none at all."""
    return [validate.Length(0, most), validate.Regexp(_or_nothing(NOTE_PATTERN), error=_NOTE_ERROR)]


def _or_nothing(pattern: str) -> str:
    return rf"\A(?:{pattern.removeprefix(BEGINS).removesuffix(ENDS)})?\Z"
