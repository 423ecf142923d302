r"""What may stand in a field that crosses a service's border: one set of types for requests, events and their readers.

A producer's schema (marshmallow by `shared.validators`, msgspec as it is), the declared payload of an event and the
fields a consumer reads are made of the same types, so that what one service accepts every other can apply (ADR-0029).

Texts. A pattern is anchored with \A and \Z: `$` also matches before a line feed at the end. Lengths count characters
(code points). A text is kept and told as it was sent: nothing is trimmed, no normalisation form is imposed. Ids,
numbers and names are ASCII and have one form only; lots are compared by `shared.lots.canonical`; other texts are
shown and never compared. Every text has a visible character. None has control characters (C0, DEL, C1), line or
paragraph separators, marks that turn the direction of what follows, halves of surrogate pairs or noncharacters:
they spoil files, deceive readers or cannot be stored. `Note` alone may have lines and tabs.

Numbers are whole. Counts fit 32 bits, so four billion of them fit a 64-bit sum. Amounts of a document stay within
FEN_MAX, of which nine thousand fit a 64-bit sum; a total that a message tells is exact for every reader of JSON
(SUM_MAX, 2^53).
Days lie in FIRST_DAY..LAST_DAY, because each month of data may become a partition; days that say only something
about the past or the far future (birthdays, expiries) may be any of the calendar.
"""

from collections.abc import Iterable
from datetime import date
from typing import Annotated, Final

from msgspec import Meta

from shared.money import FEN_MAX

CONTROL: Final = r"\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff"
BLANK: Final = r" \xa0\xad\u1680\u180e\u2000-\u200f\u202f\u205f-\u2064\u3000\ufeff"
LINE_PATTERN: Final = rf"\A[{BLANK}]*[^{BLANK}{CONTROL}][^{CONTROL}]*\Z"
_KEPT: Final = CONTROL.replace(r"\x00-\x1f", r"\x00-\x08\x0b\x0c\x0e-\x1f")
NOTE_PATTERN: Final = rf"\A[{BLANK}\t\n\r]*[^{BLANK}\t\n\r{_KEPT}][^{_KEPT}]*\Z"
REFERENCE_PATTERN: Final = r"\A[A-Za-z0-9._:/\-]{1,64}\Z"
BRANCH_FORM: Final = r"[A-Z0-9][A-Z0-9_\-]{0,31}"
BRANCH_PATTERN: Final = rf"\A{BRANCH_FORM}\Z"
SUBJECT_FORM: Final = r"[A-Za-z0-9](?:[A-Za-z0-9 ._:@|/+\-]{0,126}[A-Za-z0-9._:@|/+\-])?"
NAME_PATTERN: Final = r"\A[a-z][a-z0-9_]{0,39}\Z"
MONTH_PATTERN: Final = r"\A20[0-9]{2}-(0[1-9]|1[0-2])\Z"
SHA256_PATTERN: Final = r"\A[0-9a-f]{64}\Z"
_ID_PATTERN: Final = r"\A[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\Z"
_MONTH_DAY: Final = r"-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_DAY_PATTERN: Final = rf"\A20[0-9]{{2}}{_MONTH_DAY}\Z"
_ANY_DAY_PATTERN: Final = rf"\A[0-9]{{4}}{_MONTH_DAY}\Z"
_INSTANT_PATTERN: Final = (
    rf"\A20[0-9]{{2}}{_MONTH_DAY}T[0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}}(\.[0-9]{{1,6}})?(Z|\+00:00)\Z"
)

LOT_CHARS_MAX: Final = 64
LABEL_CHARS_MAX: Final = 200
PERSON_CHARS_MAX: Final = 128
REASON_CHARS_MAX: Final = 500
NOTE_CHARS_MAX: Final = 4_000
COUNT_MAX: Final = 2**31 - 1
SUM_MAX: Final = 2**53 - 1
LINES_MAX: Final = 10_000
"""Elements of any list in an event."""
FIRST_DAY: Final = date(2000, 1, 1)
LAST_DAY: Final = date(2099, 12, 31)

# --- ids and names: ASCII, one form each ------------------------------------------------------------

Id = Annotated[
    str,
    Meta(
        min_length=36,
        max_length=36,
        pattern=_ID_PATTERN,
        description="a UUID in lower case",
        extra_json_schema={"format": "uuid"},
    ),
]
Reference = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=64,
        pattern=REFERENCE_PATTERN,
        description="1 to 64 of letters, digits and . _ : / -",
    ),
]
Staff = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=PERSON_CHARS_MAX,
        pattern=rf"\A{SUBJECT_FORM}\Z",
        description="a person's id as tokens give it: 1 to 128 of letters, digits, blanks and . _ : @ | / + -",
    ),
]
Branch = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=32,
        pattern=BRANCH_PATTERN,
        description="1 to 32 of capital letters, digits, _ and -, beginning with a letter or digit",
    ),
]
Name = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=40,
        pattern=NAME_PATTERN,
        description="1 to 40 of small letters, digits and _, beginning with a letter",
    ),
]
Sha256 = Annotated[
    str,
    Meta(
        min_length=64, max_length=64, pattern=SHA256_PATTERN, description="a SHA-256 in 64 small hex digits"
    ),
]

# --- texts that people write ------------------------------------------------------------------------

Lot = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=LOT_CHARS_MAX,
        pattern=LINE_PATTERN,
        description="1 to 64 characters without control characters, one of them visible",
    ),
]
Label = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=LABEL_CHARS_MAX,
        pattern=LINE_PATTERN,
        description="1 to 200 characters without control characters, one of them visible",
    ),
]

Reason = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=REASON_CHARS_MAX,
        pattern=NOTE_PATTERN,
        description="1 to 500 characters, lines allowed, no other control characters, one of them visible",
    ),
]

# --- days, months and instants, as events carry them -------------------------------------------------

Day = Annotated[
    str,
    Meta(
        min_length=10,
        max_length=10,
        pattern=_DAY_PATTERN,
        description="a day from 2000-01-01 to 2099-12-31, in Shanghai",
        extra_json_schema={"format": "date"},
    ),
]
AnyDay = Annotated[
    str,
    Meta(
        min_length=10,
        max_length=10,
        pattern=_ANY_DAY_PATTERN,
        description="a day of the calendar",
        extra_json_schema={"format": "date"},
    ),
]
Month = Annotated[
    str,
    Meta(
        min_length=7, max_length=7, pattern=MONTH_PATTERN, description="a month such as 2026-03, 2000 to 2099"
    ),
]
Instant = Annotated[
    str,
    Meta(
        min_length=20,
        max_length=32,
        pattern=_INSTANT_PATTERN,
        description="an instant in UTC, 2000 to 2099",
        extra_json_schema={"format": "date-time"},
    ),
]

# --- numbers ----------------------------------------------------------------------------------------

Many = Meta(max_length=LINES_MAX)
"""For `Annotated[list[Line], Many]`."""
Fen = Annotated[int, Meta(ge=0, le=FEN_MAX, description="whole fen (1/100 yuan), not negative")]
BasisPoints = Annotated[int, Meta(ge=0, le=10_000, description="hundredths of a per cent")]
Count = Annotated[int, Meta(ge=0, le=COUNT_MAX, description="a whole number, not negative")]
No = Annotated[int, Meta(ge=1, le=COUNT_MAX, description="counts from 1")]
Quantity = Annotated[int, Meta(ge=1, le=COUNT_MAX, description="units of the smallest kind, at least 1")]
SumFen = Annotated[
    int, Meta(ge=-SUM_MAX, le=SUM_MAX, description="whole fen (1/100 yuan), a total of many documents")
]
PositiveFen = Annotated[int, Meta(ge=1, le=FEN_MAX, description="whole fen (1/100 yuan), at least 1")]
Points = Annotated[int, Meta(ge=0, le=FEN_MAX, description="whole points, not negative")]
EarnedPoints = Annotated[int, Meta(ge=1, le=FEN_MAX, description="whole points, at least 1")]
MovedPoints = Annotated[
    int, Meta(ge=-FEN_MAX, le=FEN_MAX, description="whole points: negative where they are taken")
]
Seconds = Annotated[int, Meta(ge=0, le=COUNT_MAX, description="whole seconds, not negative")]
Cycle = Annotated[int, Meta(ge=1, le=1_000_000, description="counts from 1, at most 1,000,000")]
Version = Annotated[int, Meta(ge=1, le=COUNT_MAX, description="counts from 1 and only rises")]


def one_of(values: Iterable[str]) -> Meta:
    """One of these words, as the documents of events list them; for `Annotated`."""
    return Meta(extra_json_schema={"enum": [str(each) for each in values]})


def published(pattern: str) -> str:
    r"""`pattern` as JSON Schema writes it: ECMA 262 has no \A and \Z, its `$` is the very end.

    JSON holds no half of a surrogate pair, so nothing need forbid one.
    """
    return (
        pattern.replace(r"\A", "^").replace(r"\Z", "$").replace(r"\ud800-\udfff", "").replace(r"\x", r"\u00")
    )
