"""Rows of cells from a file: CSV in any encoding and with any usual separator, or the sheets of an XLSX workbook.

A workbook is a ZIP: what it unpacks to is bounded before anything is unpacked, and XML entities are refused (openpyxl parses
with defusedxml where that is installed, and it is a dependency here).
"""

import csv
import io
import math
import warnings
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from xml.etree.ElementTree import ParseError

import openpyxl
from defusedxml import DefusedXmlException

from finance.bank_files.rules.encodings import Kind, decoded, kind_of, named
from finance.bank_files.rules.formats import LINES_MAX, StatementUnreadable, too_long
from shared.languages import Text

ROWS_MAX = LINES_MAX + 1_000
COLUMNS_MAX = 100
CELL_CHARS_MAX = 2_000
SHEETS_MAX = 20
UNPACKED_BYTES_MAX = 30_000_000
UNPACKED_BYTES_FREE = 5_000_000
UNPACKED_TIMES_MAX = 50
"""What more it unpacks to than this, times its size, is no statement; ordinary workbooks have 5 to 20."""
ROWS_PASSED_MAX = 1_048_576
"""Of all sheets together, empty ones too: a row may bear any number, and those before it are made up."""
PARTS_MAX = 500
DELIMITERS = (",", "\t", ";", "|")
Row = tuple[int, Sequence[str]]
"""The number of the line, from 1, and its cells."""


def tables(content: bytes, delimiters: Iterable[str] = DELIMITERS) -> Iterator[list[Row]]:
    """Each way in which the file is a table: a CSV by each separator, a workbook by each sheet.

    Raises StatementUnreadable.
    """
    kind = kind_of(content)
    if kind is Kind.WORKBOOK:
        yield from _workbook(content)
    elif kind is Kind.SHEET:
        text = decoded(content)
        for each in delimiters:
            yield _csv(text, each)
    else:
        raise named("MT940" if kind is Kind.MT940 else "XML")


def _csv(text: str, delimiter: str) -> list[Row]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[Row] = []
    begins = 1
    try:
        for cells in reader:
            if len(rows) >= ROWS_MAX:
                raise too_long()
            rows.append((begins, [_shown(each) for each in cells[:COLUMNS_MAX]]))
            begins = reader.line_num + 1
    except csv.Error:
        # The rest of the file may hang in an open quotation mark: that row is a fault of its own.
        rows.append((begins, ["\ufffd"]))
    return rows


def _shown(cell: str) -> str:
    """A cell without the formula that keeps spreadsheets from turning numbers into floats: ="0012"."""
    shown = cell.strip()
    if shown.startswith('="') and shown.endswith('"'):
        shown = shown[2:-1]
    return shown[:CELL_CHARS_MAX]


def _workbook(content: bytes) -> Iterator[list[Row]]:
    _require_small(content)
    left = ROWS_PASSED_MAX
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            book = openpyxl.load_workbook(
                io.BytesIO(content), read_only=True, data_only=True, keep_links=False
            )
            for sheet in book.worksheets[:SHEETS_MAX]:
                if sheet.sheet_state != "visible":
                    continue
                sheet.reset_dimensions()
                rows, passed = _sheet(sheet, left)
                left -= passed
                yield rows
    except StatementUnreadable:
        raise
    except DefusedXmlException as error:
        raise StatementUnreadable(
            "the workbook has a document type or entities, which are not read"
        ) from error
    except _DAMAGED as error:
        raise StatementUnreadable("the file begins like an XLSX workbook and is damaged") from error
    if left == ROWS_PASSED_MAX:
        raise StatementUnreadable(
            "the workbook has no sheet that can be read; save it as an ordinary XLSX workbook"
        )


# Everything that the library was seen to raise on files that are no workbooks.
_DAMAGED = (
    zipfile.BadZipFile, KeyError, ValueError, TypeError, AttributeError, IndexError, EOFError, OSError, ParseError, ArithmeticError, RuntimeError,
    NotImplementedError,
)  # fmt: skip


def _require_small(content: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as parts:
            infos = parts.infolist()
            names = {each.filename for each in infos}
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, EOFError) as error:
        raise StatementUnreadable("the file begins like an XLSX workbook and is damaged") from error
    if any(each.flag_bits & 1 for each in infos):
        raise named("protected by a password")
    for part, name in (
        ("xl/workbook.bin", "a binary Excel workbook (.xlsb)"),
        ("word/document.xml", "a Word document"),
        ("OFD.xml", "an OFD document"),
        ("content.xml", "an OpenDocument file"),
    ):
        if part in names:
            raise named(name)
    if "[Content_Types].xml" not in names or not any(each.startswith("xl/") for each in names):
        raise named("a ZIP archive that is no XLSX workbook")
    most = min(UNPACKED_BYTES_MAX, max(UNPACKED_BYTES_FREE, len(content) * UNPACKED_TIMES_MAX))
    if len(infos) > PARTS_MAX or sum(each.file_size for each in infos) > most:
        raise StatementUnreadable(Text("the workbook unpacks to more than {most} bytes", most=most))


def _sheet(sheet: Any, most: int) -> tuple[list[Row], int]:
    """The rows that hold anything, and how many were passed, at most `most`."""
    rows: list[Row] = []
    no = 0
    for no, cells in enumerate(sheet.iter_rows(max_col=COLUMNS_MAX, values_only=True), 1):
        if no > most:
            raise StatementUnreadable(
                Text("the workbook has more than {most} rows; delete the empty ones", most=ROWS_PASSED_MAX)
            )
        if cells.count(None) == len(cells):
            continue
        if len(rows) >= ROWS_MAX:
            raise too_long()
        rows.append((no, _trimmed(cells)))
    return rows, no


def _trimmed(cells: Sequence[Any]) -> list[str]:
    """What is written up to the last cell that holds anything."""
    last = max(no for no, each in enumerate(cells) if each is not None)
    return [_written(each) for each in cells[: last + 1]]


def _written(value: Any) -> str:
    """A cell as it would stand in a CSV. A number is the shortest decimal that is this number, never more than shown."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, float):
        return _decimal(value)
    return _shown(str(value))


def _decimal(value: float) -> str:
    """What a computed cell has beyond a millionth is an error of binary fractions, not money."""
    if not math.isfinite(value):
        return str(value)
    if value.is_integer():
        return str(int(value))
    exact = Decimal(repr(value))
    fen = exact.quantize(Decimal("0.01")) if abs(exact) < Decimal(10) ** 15 else exact
    return format(fen if abs(fen - exact) < Decimal("0.000001") else exact, "f")
