"""Rows of an XLSX workbook: its first visible sheet, each cell as it would stand in a CSV.

python-calamine lays a sheet out whole, so that a file of five kilobytes whose last cell is filled asks for half a
terabyte, and the process that read it is aborted. It is therefore read by a process of its own with bounds (memory, time,
size of what it answers), which is this module as a program: the workbook comes on stdin, rows go out as JSON lines.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time
from typing import IO, Any

from shared.errors import Invalid
from shared.languages import Text

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ROWS_MAX = 100_000
COLUMNS_MAX = 100
CELL_CHARS_MAX = 2_000
MEMORY_BYTES_MAX = 1_073_741_824
ANSWER_BYTES_MAX = 268_435_456
READING_S_MAX = 60
_TOO_LARGE = 3

Row = tuple[int, list[str]]
"""The number of the row, from 1, and its cells up to the last that holds anything."""


class WorkbookUnreadable(Invalid):
    code = "workbook_unreadable"
    cure = "Save it as an ordinary XLSX workbook, the table in the first sheet, or send CSV."


@contextmanager
def rows_of(file: IO[bytes]) -> Iterator[Iterator[Row]]:
    """The rows that hold anything, of a file on disk at its beginning. Raises WorkbookUnreadable before any is given."""
    with tempfile.TemporaryFile() as answer:
        try:
            code = subprocess.run(
                [sys.executable, "-m", "shared.workbook"],
                stdin=file,
                stdout=answer,
                stderr=subprocess.DEVNULL,
                timeout=READING_S_MAX,
                check=False,
            ).returncode
        except subprocess.TimeoutExpired:
            raise WorkbookUnreadable(
                Text("the workbook was not read within {seconds} s", seconds=READING_S_MAX)
            ) from None
        if code == _TOO_LARGE:
            raise WorkbookUnreadable(
                Text(
                    "a workbook holds at most {rows} rows of {columns} columns",
                    rows=ROWS_MAX,
                    columns=COLUMNS_MAX,
                )
            )
        if code != 0:
            raise WorkbookUnreadable(
                "the file is no XLSX workbook, is protected or damaged, or holds cells far away from the others"
            )
        answer.seek(0)
        yield ((no, cells) for no, cells in map(json.loads, answer))


def _written(value: Any) -> str:
    """A cell as it would stand in a CSV: whole numbers without a point, days as ISO writes them."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time.min else value.isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value).strip()[:CELL_CHARS_MAX]


def _bound() -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))
    resource.setrlimit(resource.RLIMIT_CPU, (READING_S_MAX, READING_S_MAX))
    resource.setrlimit(resource.RLIMIT_FSIZE, (ANSWER_BYTES_MAX, ANSWER_BYTES_MAX))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main() -> int:
    """Read the workbook on stdin; exit code 3 when it is too large, any other but 0 when it cannot be read."""
    _bound()
    from python_calamine import CalamineWorkbook, SheetVisibleEnum

    book = CalamineWorkbook.from_filelike(sys.stdin.buffer)
    shown = [each.name for each in book.sheets_metadata if each.visible is SheetVisibleEnum.Visible]
    sheet = book.get_sheet_by_name(shown[0])
    first = 1 if sheet.start is None else sheet.start[0] + 1
    if sheet.width > COLUMNS_MAX or sheet.height > ROWS_MAX:
        return _TOO_LARGE
    for no, values in enumerate(sheet.iter_rows(), first):
        cells = [_written(each) for each in values]
        while cells and not cells[-1]:
            cells.pop()
        if cells:
            sys.stdout.write(json.dumps([no, cells]) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
