"""Dialects of tables as banks export them: which columns mean what, as data, and what a file says by one.

A dialect names for each role the headings that a bank may write, the first that the table has counts. The heading is looked for
in the first rows; what stands above it, totals and footers are passed over, and what they say is checked by the balances.

    amount_rule   signed       `amount`, negative when it leaves the account
                  two_columns  `in` and `out`, one of them filled
                  direction    `amount` without sign, and `direction` says in or out
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from finance.bank_files.rules import narrative, values
from finance.bank_files.rules.dialects import NEEDED, ROLES, SEVERAL, AmountRule, Layout
from finance.bank_files.rules.formats import (
    LINES_MAX,
    StatementLine,
    StatementUnreadable,
    fault,
    joined_references,
    line,
    narrow,
    plain,
    refuse,
    too_long,
)
from finance.bank_files.rules.sheets import DELIMITERS, Row, tables
from shared.faults import Fault
from shared.languages import Text

HEADING_ROWS_MAX = 100
WORDS_CACHED_MAX = 1_000
YUAN = {"", "CNY", "RMB", "人民币", "人民币元", "156", "001", "01", "元", "¥"}


@dataclass(frozen=True, slots=True)
class Reading:
    """What a file says by a dialect: nothing of it is stored. `first_row` is that of the headings."""

    headings_row: int
    columns: Mapping[str, Sequence[str]]
    lines: Sequence[StatementLine]
    rows: Sequence[int]
    passed_over: Sequence[int]
    faults: Sequence[Fault]


def read(content: bytes, layout: Layout) -> list[StatementLine]:
    """Raises StatementUnreadable with every fault of the file."""
    found = tried(content, layout)
    if found.faults:
        raise refuse(found.faults)
    return list(found.lines)


def tried(content: bytes, layout: Layout) -> Reading:
    """Raises StatementUnreadable where there is no table with the headings of the dialect."""
    chosen = [layout.delimiter] if layout.delimiter else []
    known: tuple[list[Row], int] | None = None
    seen: list[list[Row]] = []
    for rows in tables(content, [*chosen, *(each for each in DELIMITERS if each not in chosen)]):
        seen.append(rows)
        at = _headings_at(rows, layout)
        if at is None:
            continue
        if known is not None and rows and known[0] != rows:
            raise StatementUnreadable(
                "more than one sheet of the workbook has the headings; send one of them alone"
            )
        known = (rows, at)
        if len(rows[at][1]) > 1 and not content.startswith(b"PK"):
            break
    if known is None:
        raise _headings_missing(seen, layout)
    return _read_rows(*known, layout)


_UNIT = re.compile(r"\((?:元|人民币|人民币元|cny|rmb|¥)\)|/元(?=\(|$)")


def _heading(text: str) -> str:
    """A heading without blanks, case, marks and the unit, which is yuan."""
    return _UNIT.sub("", plain(text).casefold()).lstrip("#*").rstrip(":")


def _named(cells: Sequence[str], aliases: Iterable[str]) -> list[int]:
    """Where the headings of a role stand, in the order of its aliases."""
    shown = [_heading(each) for each in cells]
    wanted = dict.fromkeys(form for each in aliases if (form := _heading(each)))
    return [no for alias in wanted for no, each in enumerate(shown) if each == alias]


def _headings_at(rows: Sequence[Row], layout: Layout) -> int | None:
    for at, (_, cells) in enumerate(rows[:HEADING_ROWS_MAX]):
        if not _missing(cells, layout):
            return at
    return None


def _missing(cells: Sequence[str], layout: Layout) -> list[str]:
    needed = NEEDED[layout.amount_rule]
    return [role for role in needed if not _named(cells, layout.columns[role])]


def _headings_missing(seen: Sequence[Sequence[Row]], layout: Layout) -> StatementUnreadable:
    """Names the row that is most like the headings, and what it lacks."""
    needed = NEEDED[layout.amount_rule]
    best: tuple[int, int, Sequence[str]] = (len(needed), 1, needed)
    for rows in seen:
        for no, cells in rows[:HEADING_ROWS_MAX]:
            missing = _missing(cells, layout)
            if len(missing) < best[0]:
                best = (len(missing), no, missing)
    _, row, roles = best
    faults = [
        fault(
            row,
            "/".join(layout.columns[role])[:200],
            Text(
                "no such heading in the first {rows} rows, but the dialect {dialect} needs it",
                rows=HEADING_ROWS_MAX,
                dialect=layout.dialect,
            ),
            code="heading_missing",
        )
        for role in roles
    ]
    return refuse(faults)


class _Columns:
    """Which cell of a row has which role, under the heading that the file writes."""

    def __init__(self, cells: Sequence[str], layout: Layout) -> None:
        self.headings = cells
        self.is_even = True
        """Whether all rows with a day have as many cells: else an empty cell too many may be an amount cut by its separator."""
        self.places: dict[str, list[int]] = {}
        self.doubled: list[str] = []
        for role in ROLES:
            found = _named(cells, layout.columns.get(role, ()))
            if not found:
                continue
            same = [no for no in found if _heading(cells[no]) == _heading(cells[found[0]])]
            if role not in SEVERAL and len(same) > 1:
                self.doubled.append(cells[found[0]])
            self.places[role] = found if role in SEVERAL else found[:1]

    def looks_cut(self, cells: Sequence[str]) -> bool:
        """Whether an amount and the cell after it look like one amount with a separator in it: 12,345.67."""
        places = [self.places[role][0] for role in ("amount", "in", "out") if role in self.places]
        return any(
            re.fullmatch(r"\D?\d{1,3}", cells[at]) and re.fullmatch(r"\d{3}(\.\d{1,2})?", cells[at + 1])
            for at in places
            if at + 1 < len(cells)
        )

    def heading(self, role: str) -> str:
        return self.headings[self.places[role][0]]

    def cell(self, cells: Sequence[str], role: str) -> str:
        places = self.places.get(role)
        return "" if not places or places[0] >= len(cells) else cells[places[0]]

    def cells(self, cells: Sequence[str], role: str) -> list[str]:
        shown = (narrow(cells[no]) for no in self.places.get(role, ()) if no < len(cells))
        return [each for each in shown if each and each != "-"]


def _read_rows(rows: Sequence[Row], at: int, layout: Layout) -> Reading:
    headings_row, headings = rows[at]
    columns = _Columns(headings, layout)
    faults = [
        fault(headings_row, each, "stands twice among the headings, so which is meant is not known", code="ambiguous")
        for each in columns.doubled
    ]  # fmt: skip
    lines, numbers = [], []
    passed_over = [no for no, cells in rows[:at] if any(cells)]
    body = rows[at + 1 :]
    if len(body) > LINES_MAX + HEADING_ROWS_MAX:
        raise too_long()
    counts = {len(each) for _, each in body if _day_or_none(columns.cell(each, "date"), layout)}
    columns.is_even = len(counts) <= 1
    for place, (no, cells) in enumerate(body):
        if not any(plain(each) for each in cells):
            continue
        if _ends(cells, layout):
            passed_over += [number for number, left in body[place:] if any(left)]
            break
        if _is_no_line(cells, columns, headings, layout):
            passed_over.append(no)
            continue
        made = list(_line(no, cells, columns, layout, faults))
        lines += made
        numbers += [no] * len(made)
    told = {role: [headings[no] for no in places] for role, places in columns.places.items()}
    return Reading(headings_row, told, lines, numbers, passed_over, faults)


def _first(cells: Sequence[str]) -> str:
    return next((each for each in cells if plain(each)), "")


@lru_cache(WORDS_CACHED_MAX)
def _forms(word: str) -> tuple[str, str]:
    return plain(word).casefold(), _heading(word)


def _begins(cell: str, words: Iterable[str]) -> bool:
    """Whether a cell begins with one of these words, as written or without marks. A word of marks alone is as written."""
    written, bare = plain(cell).casefold(), _heading(cell)
    forms = (_forms(each) for each in words)
    return any(written.startswith(word) or (form and bare.startswith(form)) for word, form in forms)


def _ends(cells: Sequence[str], layout: Layout) -> bool:
    return _begins(_first(cells), layout.end_words)


def _is_no_line(cells: Sequence[str], columns: _Columns, headings: Sequence[str], layout: Layout) -> bool:
    """A total, a footer, the headings of the next page, or a ruled line; never a row with something else for a day."""
    shown = [_heading(each) for each in cells]
    if shown == [_heading(each) for each in headings]:
        return True
    words = layout.footer_words
    day = columns.cell(cells, "date")
    if words and (not _heading(day) or _begins(day, words)):
        return _begins(_first(cells), words) or not {_forms(each)[1] for each in words}.isdisjoint({*shown} - {""})  # fmt: skip
    return all(set(each) <= set("-=_.") for each in shown)


def _day_or_none(text: str, layout: Layout) -> date | None:
    try:
        return values.day(text, layout.date_formats)
    except ValueError:
        return None


def _line(
    no: int, cells: Sequence[str], columns: _Columns, layout: Layout, faults: list[Fault]
) -> Iterator[StatementLine]:
    """The line of a row; its faults are added to `faults`, all of them."""
    before = len(faults)
    if cells == ["\ufffd"]:
        faults.append(fault(no, "*", "a quotation mark is not closed, or stands where none may"))
        return
    beyond = cells[len(columns.headings) :]
    if any(beyond) or (beyond and not (columns.is_even and not columns.looks_cut(cells))):
        faults.append(fault(no, "*", Text("has {cells} cells under {headings} headings: a text with a separator needs quotation marks", cells=len(cells), headings=len(columns.headings))))  # fmt: skip
        return
    booked_on = _day(no, cells, columns, "date", layout, faults)
    valued_on = (
        _day(no, cells, columns, "value_date", layout, faults)
        if plain(columns.cell(cells, "value_date"))
        else None
    )
    fen = _AMOUNTS[layout.amount_rule](no, cells, columns, layout, faults)
    currency = plain(columns.cell(cells, "currency")).upper()
    if currency not in YUAN:
        message = Text("is in {currency}; only accounts in CNY are kept here", currency=currency[:20])
        faults.append(fault(no, columns.heading("currency"), message, currency, "other_currency"))
    if booked_on is None or fen is None or len(faults) > before:
        return
    told = narrative.read([" ".join(columns.cells(cells, "summary"))])
    yield line(
        booked_on,
        fen,
        joined_references([*columns.cells(cells, "reference"), *told.references]),
        told.purpose,
        " ".join(columns.cells(cells, "counterparty")),
        valued_on,
    )


def _day(
    no: int,
    cells: Sequence[str],
    columns: _Columns,
    role: str,
    layout: Layout,
    faults: list[Fault],
) -> date | None:
    text = columns.cell(cells, role)
    day = _day_or_none(text, layout)
    if day is None:
        formats = layout.date_formats
        expected = (
            Text("must be a day written as {formats}", formats=" / ".join(formats))
            if formats
            else values.DAY_EXPECTED
        )
        faults.append(fault(no, columns.heading(role), expected, text, "not_a_day"))
    return day


def _amount(
    no: int, cells: Sequence[str], columns: _Columns, role: str, faults: list[Fault], *, may_be_empty: bool
) -> int | None:
    """None where it is faulty; an empty cell is 0 where it may be."""
    text = columns.cell(cells, role)
    try:
        amount = values.fen(text)
    except ValueError:
        amount = None
    else:
        if amount is None and may_be_empty:
            return 0
    if amount is None:
        faults.append(fault(no, columns.heading(role), values.AMOUNT_EXPECTED, text, "not_an_amount"))
    return amount


def _signed(
    no: int, cells: Sequence[str], columns: _Columns, layout: Layout, faults: list[Fault]
) -> int | None:
    return _amount(no, cells, columns, "amount", faults, may_be_empty=False)


def _two_columns(
    no: int, cells: Sequence[str], columns: _Columns, layout: Layout, faults: list[Fault]
) -> int | None:
    """Money in less money out. Both filled is not netted: nobody can say what the bank meant."""
    before = len(faults)
    received = _amount(no, cells, columns, "in", faults, may_be_empty=True)
    paid = _amount(no, cells, columns, "out", faults, may_be_empty=True)
    if received is None or paid is None or len(faults) > before:
        return None
    names = f"{columns.heading('in')}, {columns.heading('out')}"
    if not plain(columns.cell(cells, "in")).strip("-/—") and not plain(columns.cell(cells, "out")).strip("-/—"):  # fmt: skip
        faults.append(fault(no, names, "one of both must have an amount", code="not_an_amount"))
        return None
    if received and paid:
        shown = f"{columns.cell(cells, 'in')}, {columns.cell(cells, 'out')}"
        faults.append(fault(no, names, "both are filled; a line moves money one way", shown, "ambiguous"))
        return None
    if layout.out_is_negative and paid > 0:
        text = columns.cell(cells, "out")
        faults.append(fault(no, columns.heading("out"), "must be negative in this dialect", text, "ambiguous"))  # fmt: skip
        return None
    return received + paid if layout.out_is_negative else received - paid


def _directed(
    no: int, cells: Sequence[str], columns: _Columns, layout: Layout, faults: list[Fault]
) -> int | None:
    """The amount by the word beside it. A sign and a word together say two things."""
    amount = _amount(no, cells, columns, "amount", faults, may_be_empty=False)
    shown = columns.cell(cells, "direction")
    word = plain(shown).casefold()
    ins, outs = ({plain(each).casefold() for each in those} for those in (layout.in_words, layout.out_words))
    if word not in ins | outs:
        expected = Text("must be one of {words}", words=", ".join([*layout.in_words, *layout.out_words]))  # fmt: skip
        faults.append(fault(no, columns.heading("direction"), expected, shown, "not_a_direction"))
        return None
    if amount is None:
        return None
    if amount < 0:
        faults.append(
            fault(no, columns.heading("amount"), "has a sign, and the direction says one too", columns.cell(cells, "amount"), "ambiguous")
        )  # fmt: skip
        return None
    return amount if word in ins else -amount


_AMOUNTS = {
    AmountRule.SIGNED: _signed,
    AmountRule.TWO_COLUMNS: _two_columns,
    AmountRule.DIRECTION: _directed,
}
