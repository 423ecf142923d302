"""Statements as banks give them: CSV by a dialect that is data, and MT940 by the mt-940 library.

What comes out is the same for both: lines in fen, signed as the account sees them. Who paid is used to recognise a
settlement and then forgotten.
"""

import csv
import hashlib
import io
import json
import logging
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from itertools import pairwise
from typing import Any

import mt940

from finance.bank import rules
from finance.domain import dated
from shared.errors import Invalid
from shared.money import FEN_MAX

# The library logs what it cannot parse, and that is somebody's bank statement.
logging.getLogger("mt940").setLevel(logging.CRITICAL + 1)

LINES_MAX = 20_000
TEXT_CHARS_MAX = 200
_YUAN = re.compile(r"\A[+-]?[0-9]{1,13}(\.[0-9]{1,2}0{0,20})?\Z")
_UNWANTED = re.compile("[\x00-\x1f\x7f\ud800-\udfff]+")


class StatementUnreadable(Invalid):
    """The file is not what its format or dialect says."""

    code = "bank_statement_unreadable"


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementLine:
    booked_on: date
    fen: int
    reference: str
    summary: str
    clearing: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """`account` is None where the file does not say (CSV); opening and closing are balances in fen."""

    account: str | None
    number: str
    from_on: date
    to_on: date
    opening_fen: int
    closing_fen: int
    lines: Sequence[StatementLine]


@cache
def dialects() -> dict[str, dict[str, Any]]:
    return {row["dialect"]: row for row in dated.read("bank_csv_dialects")}


def from_csv(content: bytes, dialect: str) -> list[StatementLine]:
    """Raises StatementUnreadable, naming the row."""
    layout = dialects()[dialect]
    rows = csv.DictReader(
        io.StringIO(_decoded(content, layout["encoding"]), newline=""),
        delimiter=layout["delimiter"],
        strict=True,
    )
    lines = []
    try:
        for row in rows:
            lines.append(_csv_line(row, layout))
            if len(lines) > LINES_MAX:
                raise StatementUnreadable(f"more than {LINES_MAX} lines")
    except (csv.Error, KeyError, ValueError, TypeError) as error:
        raise StatementUnreadable(f"row {rows.line_num} does not fit the dialect {dialect}") from error
    return lines


def _decoded(content: bytes, encoding: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        raise StatementUnreadable(f"the file is not {encoding}") from error


def _csv_line(row: dict[str, str], layout: dict[str, Any]) -> StatementLine:
    columns = layout["columns"]
    if "amount" in columns:
        fen = _fen(row[columns["amount"]] or "")
    else:
        fen = _fen(row[columns["in"]] or "0") - _fen(row[columns["out"]] or "0")
    return _line(
        datetime.strptime((row[columns["date"]] or "").strip(), layout["date_format"]).date(),  # noqa: DTZ007 - a day
        fen,
        row[columns["reference"]] or "",
        row[columns["summary"]] or "",
        row.get(columns["counterparty"]) or "",
    )


def _fen(text: str) -> int:
    """Yuan with at most two decimals as fen. Raises ValueError."""
    plain = text.strip().replace(",", "")
    if not _YUAN.match(plain):
        raise ValueError(text)
    return _exact(Decimal(plain))


def _exact(yuan: Decimal) -> int:
    fen = yuan * 100
    if fen != fen.to_integral_value() or abs(fen) > FEN_MAX:
        raise ValueError(str(yuan))
    return int(fen)


def _line(booked_on: date, fen: int, reference: str, summary: str, payer: str) -> StatementLine:
    if not fen:
        raise StatementUnreadable("a line moves nothing")
    return StatementLine(
        booked_on=booked_on,
        fen=fen,
        reference=_clean(reference),
        summary=_clean(summary),
        clearing=rules.recognise(f"{payer} {summary}", booked_on),
    )


def _clean(text: str) -> str:
    return _UNWANTED.sub(" ", text).strip()[:TEXT_CHARS_MAX]


# Everything that the library was seen to raise on files that are not MT940.
_MT940_FAULTS = (
    RuntimeError,
    ValueError,
    ArithmeticError,
    LookupError,
    AttributeError,
    TypeError,
    AssertionError,
)


def from_mt940(content: bytes, encoding: str) -> Statement:
    """One or more consecutive messages of one account as one statement. Raises StatementUnreadable."""
    text = _decoded(content, encoding)
    try:
        # A handle, never the text itself: the library opens a text that names a file.
        parts = mt940.parse_statements(io.StringIO(text), options=mt940.Options.all())
        return _joined([_message(part) for part in parts])
    except _MT940_FAULTS as error:
        raise StatementUnreadable("the file is not MT940 of a CNY account") from error


def _message(part: Any) -> Statement:
    head = part.data
    opening = head.get("final_opening_balance") or head["intermediate_opening_balance"]
    closing = head.get("final_closing_balance") or head["intermediate_closing_balance"]
    currencies = {opening.amount.currency, closing.amount.currency}
    if currencies != {"CNY"}:
        raise ValueError(currencies)
    lines = [_mt940_line(each.data) for each in part.transactions if each.data.get("amount") is not None]
    if len(lines) > LINES_MAX:
        raise StatementUnreadable(f"more than {LINES_MAX} lines")
    to_on = _day(closing.date)
    sequence = head.get("sequence_number")
    number = str(head["statement_number"]) + (f"/{sequence}" if sequence else "")
    return Statement(
        account=str(head["account_identification"]),
        number=_clean(f"{to_on.year}-{number}")[:64],
        from_on=min([each.booked_on for each in lines], default=to_on),
        to_on=max([to_on, *(each.booked_on for each in lines)]),
        opening_fen=_exact(opening.amount.amount),
        closing_fen=_exact(closing.amount.amount),
        lines=lines,
    )


def _mt940_line(data: dict[str, Any]) -> StatementLine:
    reference = " ".join(
        each
        for each in (data.get("customer_reference"), data.get("bank_reference"))
        if each and each != "NONREF"
    )
    summary = f"{data.get('id') or ''} {data.get('extra_details') or ''}"
    payer = str(data.get("transaction_details") or "")
    return _line(
        _day(data.get("entry_date") or data["date"]), _exact(data["amount"].amount), reference, summary, payer
    )


def _day(value: Any) -> date:
    return date(value.year, value.month, value.day)


def _joined(parts: Sequence[Statement]) -> Statement:
    first, last = parts[0], parts[-1]
    for before, after in pairwise(parts):
        if before.closing_fen != after.opening_fen or before.account != after.account:
            raise StatementUnreadable("the messages of the file do not follow one another")
    return Statement(
        account=first.account,
        number=first.number if len(parts) == 1 else f"{first.number}..{last.number}"[:64],
        from_on=min(each.from_on for each in parts),
        to_on=max(each.to_on for each in parts),
        opening_fen=first.opening_fen,
        closing_fen=last.closing_fen,
        lines=[line for each in parts for line in each.lines],
    )


def hashes(lines: Iterable[StatementLine]) -> list[bytes]:
    """What names each line for ever: its content, and which of several equal ones of its day it is."""
    seen: Counter[tuple[Any, ...]] = Counter()
    found = []
    for line in lines:
        key = (line.booked_on.isoformat(), line.fen, line.reference, line.summary)
        seen[key] += 1
        found.append(hashlib.sha256(json.dumps([*key, seen[key]]).encode()).digest())
    return found
