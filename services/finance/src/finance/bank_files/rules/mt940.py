"""MT940: customer statement messages (SWIFT category 9), one or many in a file, of one account or of several.

Read here and not by a library, because what a month's balance rests on was lost there: the kind of balance (60M and 62M are
intermediate: pages), the day of a line without entry date (:61: then has its value date alone), entry dates of the year
before or after, and the parts of :86: that are no SEPA codes.

    :61:2610011002RC5,00NTRFREF//BANK    value 2026-10-01, entered 10-02, credit reversed, 5.00

Messages of one account that follow one another are one statement. Faults name the line of the file and the field.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from finance.bank_files.rules import narrative
from finance.bank_files.rules.formats import (
    LINES_MAX,
    NUMBER_CHARS_MAX,
    YUAN,
    Statement,
    StatementLine,
    StatementUnreadable,
    chained,
    clean,
    fault,
    joined_references,
    line,
    refuse,
    too_long,
    within,
)
from finance.bank_files.rules.values import exact
from shared.faults import Fault
from shared.languages import Text

_TAG = re.compile(r":((?:13|2[0158]|34|6[0-5]|86|90)[A-Z]?|NS):(.*)", re.ASCII)
"""The fields of messages 940 to 950; anything else between colons is text, such as a time."""
_ENDS = re.compile(r"-}|-\Z|\{[0-9S]:")
_BALANCE = re.compile(r"(?P<side>[CD])(?P<day>\d{6})(?P<currency>[A-Z]{3})(?P<amount>\d{1,15}(?:[,.]\d{0,2})?|[,.]\d{1,2})", re.ASCII)  # fmt: skip
_LINE = re.compile(
    r"(?P<value>\d{6})(?P<entry>\d{4}|\s{4})?(?P<mark>RC|RD|C|D)(?P<funds>[A-Z])?(?P<amount>\d{1,15}(?:[,.]\d{0,2})?|[,.]\d{1,2})(?![,.\d])"
    r"(?P<type>[NSFnsf][A-Za-z0-9 ]{3})?(?P<reference>.*)",
    re.ASCII,
)
_NEEDED = (":25:", ":60F:", ":62F:")
_BALANCE_EXPECTED = "must be a balance such as C260930CNY1000,00"
_LINE_EXPECTED = "must be a line such as 2610011001C5,00NTRFREFERENCE//BANKREFERENCE"
_PIVOT_YEAR = 80


@dataclass(slots=True)
class _Field:
    row: int
    tag: str
    lines: list[str]


@dataclass(slots=True)
class _Balance:
    day: date
    fen: int
    is_intermediate: bool


@dataclass(slots=True)
class _Entry:
    row: int
    valued_on: date
    entered: str | None
    fen: int
    reference: str
    extra: list[str]
    told: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Message:
    account: str
    number: str
    opening: _Balance
    closing: _Balance
    entries: list[_Entry]


def read(text: str) -> list[Statement]:
    """A statement per account, in the order of the file. Raises StatementUnreadable."""
    faults: list[Fault] = []
    messages = [each for each in (_message(fields, faults) for fields in _messages(text)) if each]
    if faults:
        raise refuse(faults)
    if not messages:
        raise StatementUnreadable("the file has no MT940 statement: none of :25:, :60F: and :62F:")
    if sum(len(each.entries) for each in messages) > LINES_MAX:
        raise too_long()
    found: dict[str, list[Statement]] = {}
    for pages in _paged(messages):
        statement = _statement(pages)
        found.setdefault(_plain(statement.account or ""), []).append(statement)
    return [chained(each) for each in found.values()]


def _plain(account: str) -> str:
    return "".join(each for each in account if each.isalnum()).upper()


def _messages(text: str) -> Iterator[list[_Field]]:
    """The fields of each message: it begins with :20:, or where after a closing balance the fields of a page begin again."""
    current: list[_Field] = []
    for each in _fields(text):
        is_closed = any(known.tag[:2] == "62" for known in current)
        if (each.tag == "20" and any(known.tag != "20" for known in current)) or (
            is_closed and each.tag[:2] in ("25", "28", "60")
        ):
            yield current
            account = [known for known in current if known.tag[:2] == "25"]
            current = account if each.tag[:2] in ("28", "60") else []
        current.append(each)
    if current:
        yield current


def _fields(text: str) -> Iterator[_Field]:
    known: _Field | None = None
    for row, written in enumerate(re.split(r"\r\n|\n|\r", text), 1):
        shown = re.sub(r"\A(?:\{\d:(?:[^{}]|\{[^{}]*\})*\})*\{4:", "", written).rstrip()
        found = _TAG.match(shown)
        if found:
            if known is not None:
                yield known
            known = _Field(row, found[1], [found[2]])
        elif _ENDS.match(shown.strip()):
            if known is not None:
                yield known
            known = None
        elif known is not None and shown:
            known.lines.append(shown)
    if known is not None:
        yield known


def _message(fields: Sequence[_Field], faults: list[Fault]) -> _Message | None:
    """Adds its faults to `faults` and is None where it has any."""
    before = len(faults)
    heads: dict[str, _Field] = {}
    balances: dict[str, _Balance] = {}
    entries: list[_Entry] = []
    latest: _Entry | None = None
    for each in fields:
        kind = each.tag[:2]
        if kind == "61":
            latest = _entry(each, faults)
            entries += [latest] if latest else []
        elif kind == "86" and latest is not None and "62" not in heads:
            latest.told += each.lines
        else:
            latest = None
            if kind in ("60", "62") and kind in heads:
                faults.append(fault(each.row, f":{each.tag}:", "stands twice in one message", each.lines[0].strip(), "ambiguous"))  # fmt: skip
            heads.setdefault(kind, each)
            if kind in ("60", "62") and kind not in balances and (found := _balance(each, faults)):
                balances[kind] = found
    if len(faults) == before:
        for kind, needed in zip(("25", "60", "62"), _NEEDED, strict=True):
            if kind not in heads:
                faults.append(fault(fields[0].row, needed, "is missing in this message", code="missing"))
    if len(faults) > before:
        return None
    number = heads["28"].lines[0].strip() if "28" in heads else heads["20"].lines[0].strip() if "20" in heads else ""  # fmt: skip
    return _Message(heads["25"].lines[0].strip(), number, balances["60"], balances["62"], entries)


def _balance(each: _Field, faults: list[Fault]) -> _Balance | None:
    shown = each.lines[0].strip().removesuffix("-}")
    found = _BALANCE.fullmatch(shown)
    if found is not None and found["currency"] not in YUAN:
        message = Text("is in {currency}; only accounts in CNY are kept here", currency=found["currency"])
        faults.append(fault(each.row, f":{each.tag}:", message, shown, "other_currency"))
        return None
    amount, day = (_fen(found["amount"]), _six(found["day"])) if found else (None, None)
    if found is None or amount is None or day is None:
        faults.append(fault(each.row, f":{each.tag}:", _BALANCE_EXPECTED, shown))
        return None
    return _Balance(day, -amount if found["side"] == "D" else amount, each.tag.endswith("M"))


def _entry(each: _Field, faults: list[Fault]) -> _Entry | None:
    shown = each.lines[0].strip()
    found = _LINE.fullmatch(shown)
    amount, valued_on = (_fen(found["amount"]), _six(found["value"])) if found else (None, None)
    entered = ((found["entry"] if found else None) or "").strip() or None
    if found is None or amount is None or valued_on is None or (entered and not _years(entered, valued_on)):
        faults.append(fault(each.row, ":61:", _LINE_EXPECTED, shown))
        return None
    customer, _, bank = found["reference"].partition("//")
    return _Entry(
        row=each.row,
        valued_on=valued_on,
        entered=entered,
        fen=amount if found["mark"] in ("C", "RD") else -amount,
        reference=joined_references([customer, bank]),
        extra=each.lines[1:],
    )


def _fen(written: str) -> int | None:
    """None where it is no whole number of fen."""
    whole, _, part = written.replace(",", ".").partition(".")
    try:
        return exact(Decimal(f"{whole or 0}.{part or 0}"))
    except ValueError:
        return None


def _six(written: str) -> date | None:
    year = int(written[:2])
    try:
        return date(year + (1900 if year >= _PIVOT_YEAR else 2000), int(written[2:4]), int(written[4:]))
    except ValueError:
        return None


def _paged(messages: Sequence[_Message]) -> Iterator[list[_Message]]:
    """Messages joined to statements: a page continues the one whose intermediate balance it opens with."""
    pages: list[_Message] = []
    for each in messages:
        follows = (
            pages
            and _plain(pages[-1].account) == _plain(each.account)
            and (each.opening.is_intermediate or pages[-1].closing.is_intermediate)
            and pages[-1].closing.fen == each.opening.fen
        )
        if pages and not follows:
            yield pages
            pages = []
        pages.append(each)
    if pages:
        yield pages


def _statement(pages: Sequence[_Message]) -> Statement:
    first, last = pages[0], pages[-1]
    opened = min(each.opening.day for each in pages)
    closed = max(each.closing.day for each in pages)
    lines = [_line(each, opened, closed, first.opening) for page in pages for each in page.entries]
    number = first.number if len(pages) == 1 else f"{first.number}..{last.number}"
    begun = closed if first.opening.is_intermediate else min(_day_after(opened), closed)
    return Statement(
        account=first.account,
        number=clean(f"{closed.year}-{number}")[:NUMBER_CHARS_MAX],
        from_on=min([begun, *(each.booked_on for each in lines)]),
        to_on=closed,
        opening_fen=first.opening.fen,
        closing_fen=last.closing.fen,
        lines=lines,
        continues=first.opening.is_intermediate,
        goes_on=last.closing.is_intermediate,
    )


def _line(entry: _Entry, opened: date, closed: date, opening: _Balance) -> StatementLine:
    told = narrative.read(entry.told)
    extra = narrative.read(entry.extra)
    return line(
        _booked_on(entry, opened, closed, opening),
        entry.fen,
        joined_references([entry.reference, *extra.references, *told.references]),
        " ".join(each for each in (extra.purpose, told.purpose) if each),
        told.text,
        entry.valued_on,
    )


def _booked_on(entry: _Entry, opened: date, closed: date, opening: _Balance) -> date:
    """The entry date, or the value date, within the days of the statement.

    The opening balance bears the day of the last statement, or the first of this one: a line says which only by its
    entry date. Without one, a line of an opening on the last of a month is of the month that follows.
    """
    last_of_month = closed > opened and (opened.month != _day_after(opened).month)
    if entry.entered:
        days = _years(entry.entered, entry.valued_on)
        day = next((each for each in days if opened <= each <= closed), days[0])
        return within(day, opened, closed, is_first_stated=opening.is_intermediate or day == opened)
    is_first_stated = opening.is_intermediate or (entry.valued_on == opened and not last_of_month)
    return within(entry.valued_on, opened, closed, is_first_stated=is_first_stated)


def _day_after(day: date) -> date:
    return date.fromordinal(min(day.toordinal() + 1, date.max.toordinal()))


def _years(entered: str, valued_on: date) -> list[date]:
    """The days that a month and day may mean, the nearest to the value date first."""
    found = []
    for year in (valued_on.year - 1, valued_on.year, valued_on.year + 1):
        try:
            found.append(date(year, int(entered[:2]), int(entered[2:])))
        except ValueError:
            continue
    return sorted(found, key=lambda each: abs((each - valued_on).days))
