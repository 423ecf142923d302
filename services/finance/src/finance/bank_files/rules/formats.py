"""What every bank file becomes, whatever its format: statements of lines in fen, signed as the account sees them.

A line is booked on a day of its statement, whatever day it is valued. Who paid is used to recognise a settlement and then
forgotten. Readers: `mt940`, `camt`, `sheets` with `layouts`; `reading` says which.
"""

import hashlib
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

from finance.bank_files.rules import clearing
from shared.errors import Invalid
from shared.faults import ERRORS_SHOWN_MAX, Fault, shortened
from shared.languages import Text
from shared.texts import CONTROL

LINES_MAX = 20_000
TEXT_CHARS_MAX = 500
NUMBER_CHARS_MAX = 64
YUAN = ("CNY", "RMB")
"""How banks write the currency of the yuan in messages."""
_UNWANTED = re.compile(f"[{CONTROL}]+")
_NOTHING_SAID = {"", "NONREF", "NOTPROVIDED", "NOTAVAILABLE"}


class StatementUnreadable(Invalid):
    """The file is not what its format or dialect says; `errors` tells row, column, value and what is expected."""

    code = "bank_statement_unreadable"
    cure = "Try the file out with its dialect; `errors` names the row that is not understood."


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementLine:
    booked_on: date
    fen: int
    reference: str
    summary: str
    clearing: str | None
    valued_on: date | None = None

    @property
    def key(self) -> tuple[str, int, str, str]:
        """What makes two lines of a day equal."""
        return (self.booked_on.isoformat(), self.fen, self.reference, self.summary)


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """`account` is None where the file does not say (CSV); opening and closing are balances in fen.

    `continues` and `goes_on` say that the opening or the closing is an intermediate balance: a page among others.
    """

    account: str | None
    number: str
    from_on: date
    to_on: date
    opening_fen: int
    closing_fen: int
    lines: Sequence[StatementLine]
    continues: bool = False
    goes_on: bool = False


def fault(row: int, column: str, message: str, value: str | None = None, code: str = "not_readable") -> Fault:
    """A fault of a file: `row` counts lines of the file from 1."""
    return Fault("", code, message, None if value is None else shortened(value), row=row, column=column)


def refuse(faults: Sequence[Fault]) -> StatementUnreadable:
    """All faults of a file at once, as far as a document shows them."""
    return StatementUnreadable(
        Text("{faults} places of the file cannot be read", faults=len(faults))
        if len(faults) > 1
        else Text("row {row}, column {column}: {why}", row=faults[0].row, column=faults[0].column, why=faults[0].message),
        errors=list(faults[:ERRORS_SHOWN_MAX]),
    )  # fmt: skip


def line(
    booked_on: date, fen: int, reference: str, summary: str, payer: str, valued_on: date | None
) -> StatementLine:
    return StatementLine(
        booked_on=booked_on,
        fen=fen,
        reference=clean(reference),
        summary=clean(summary),
        clearing=clearing.recognise(f"{payer} {summary}", booked_on),
        valued_on=valued_on,
    )


def clean(text: str) -> str:
    return " ".join(_UNWANTED.sub(" ", text).split())[:TEXT_CHARS_MAX].strip()


def joined_references(parts: Iterable[str]) -> str:
    """References of a line, each once, without the words that banks write for none."""
    told = dict.fromkeys(each.strip() for each in parts if each.strip().upper() not in _NOTHING_SAID)
    return " ".join(told)


def narrow(text: str) -> str:
    """Full-width forms as the narrow ones, one blank for many, without BOM and the marks that exports put before text."""
    shown = "".join(
        each for each in unicodedata.normalize("NFKC", text) if unicodedata.category(each) != "Cf"
    )
    return " ".join(shown.split()).lstrip("`'")


def plain(text: str) -> str:
    """The same without any blank."""
    return narrow(text).replace(" ", "")


def within(day: date, first: date, last: date, *, is_first_stated: bool) -> date:
    """The day of the statement on which a line is booked.

    A day before the statement is its first day; where the opening balance may be the closing of the day before
    (`is_first_stated` is False), the day after it.
    """
    begin = first if is_first_stated or first == last else first + timedelta(days=1)
    return min(max(day, begin), last)


def chained(statements: Sequence[Statement]) -> Statement:
    """Statements of one account that follow one another as one; each once. Raises StatementUnreadable."""
    unique = list({(identity(each), each.number): each for each in statements}.values())
    if not _follow(unique):
        unique.sort(key=lambda each: (each.to_on, each.from_on))
    if not _follow(unique):
        before, after = next((a, b) for a, b in pairwise(unique) if a.closing_fen != b.opening_fen)
        raise StatementUnreadable(
            Text(
                "the statements of the file do not follow one another: {before} closes with {closing}, {after} opens with {opening}",
                before=before.number, closing=yuan(before.closing_fen), after=after.number, opening=yuan(after.opening_fen),
            )
        )  # fmt: skip
    first, last = unique[0], unique[-1]
    if len(unique) == 1:
        return first
    lines = [line for each in unique for line in each.lines]
    if len(lines) > LINES_MAX:
        raise too_long()
    return Statement(
        account=first.account,
        number=f"{first.number}..{last.number}"[:NUMBER_CHARS_MAX],
        from_on=min(each.from_on for each in unique),
        to_on=max(each.to_on for each in unique),
        opening_fen=first.opening_fen,
        closing_fen=last.closing_fen,
        lines=lines,
        continues=first.continues,
        goes_on=last.goes_on,
    )


def too_long() -> StatementUnreadable:
    return StatementUnreadable(Text("the file has more than {most} lines", most=LINES_MAX))


def yuan(fen: int) -> str:
    return f"{'-' if fen < 0 else ''}{abs(fen) // 100}.{abs(fen) % 100:02d}"


def _follow(statements: Sequence[Statement]) -> bool:
    return all(a.closing_fen == b.opening_fen for a, b in pairwise(statements))


def hashes(lines: Iterable[StatementLine], before: Iterable[StatementLine] = ()) -> list[bytes]:
    """What names each line for ever: its content, and which of several equal ones of its day it is.

    `before` are the lines that are known already and that these follow.
    """
    seen = Counter(each.key for each in before)
    found = []
    for each in lines:
        key = each.key
        seen[key] += 1
        found.append(hashlib.sha256(json.dumps([*key, seen[key]]).encode()).digest())
    return found


def identity(statement: Statement) -> bytes:
    """What a statement is: its days, balances and lines. Its number only where it is a page that follows another."""
    what = [
        statement.from_on.isoformat(),
        statement.to_on.isoformat(),
        statement.opening_fen,
        statement.closing_fen,
        statement.number if statement.continues else None,
        [each.hex() for each in hashes(statement.lines)],
    ]
    return hashlib.sha256(json.dumps(what).encode()).digest()
