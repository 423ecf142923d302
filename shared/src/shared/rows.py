"""Files of an upload, line by line: JSON, and CSV by its header. What is wrong is told with its line, from 1."""

import csv
from collections.abc import Collection, Iterable, Iterator, Sequence

from shared.errors import DomainError, Invalid
from shared.faults import ERRORS_SHOWN_MAX
from shared.languages import Text

LINE_BYTES_MAX = 1_048_576
TOO_LONG_MARK = "\ufffe"


class LineTooLong(Invalid):
    code = "line_too_long"
    cure = "Write shorter lines, or send this one by itself."


class LineMalformed(Invalid):
    code = "line_malformed"
    cure = "Mend the row: quotes are closed, and there are no more cells than columns."


class CsvHeaderInvalid(Invalid):
    code = "csv_header_invalid"
    cure = "Write the columns that the document names, each once, in the first line."


def lines_of(chunks: Iterable[bytes]) -> Iterator[tuple[int, bytes | None]]:
    """Numbered lines without their ends; None for one above LINE_BYTES_MAX. Holds one line in memory."""
    number, rest, is_skipping = 1, b"", False
    for chunk in chunks:
        parts = (rest + chunk).split(b"\n")
        rest = parts.pop()
        for part in parts:
            yield number, None if is_skipping or len(part) > LINE_BYTES_MAX else part.removesuffix(b"\r")
            is_skipping = False
            number += 1
        if len(rest) > LINE_BYTES_MAX:
            rest, is_skipping = b"", True
    if rest or is_skipping:
        yield number, None if is_skipping else rest.removesuffix(b"\r")


def too_long() -> LineTooLong:
    return LineTooLong(Text("a line holds at most {most} bytes", most=LINE_BYTES_MAX))


def too_wide() -> LineMalformed:
    return LineMalformed("the row has more cells than the header")


def placed(refusal: DomainError, line: int) -> DomainError:
    """The refusal of a line's text, naming the line of the file instead of the first and only one of the text."""
    if isinstance(refusal.detail, Text):
        refusal.detail = Text(refusal.detail.pattern, **(refusal.detail.values | {"line": line}))
        refusal.context.pop("byte", None)
        refusal.context["line"] = line
    return refusal


def csv_rows(
    chunks: Iterable[bytes], columns: Collection[str]
) -> Iterator[tuple[int, dict[str, str] | DomainError]]:
    """Rows that say anything, each with its first line, or why it is none. Raises CsvHeaderInvalid."""
    reader = csv.reader(_csv_lines(chunks), strict=True)
    header: list[str] = []
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            if not header:
                raise CsvHeaderInvalid("the first line is not a CSV header") from error
            yield line, LineMalformed("the row is not CSV: a quote is not closed, or text follows one")
            continue
        if not header:
            header = header_of(cells, columns)
        elif len(cells) > len(header):
            yield line, too_wide()
        elif any(cells):
            yield line, dict(zip(header, cells, strict=False))


def _csv_lines(chunks: Iterable[bytes]) -> Iterator[str]:
    for _, raw in lines_of(chunks):
        # An over-long line is one bad row, by a mark that every pattern refuses.
        yield (TOO_LONG_MARK if raw is None else raw.decode("utf-8", "surrogateescape")) + "\n"


def header_of(cells: Sequence[str], columns: Collection[str]) -> list[str]:
    """The names of a table's columns. Raises CsvHeaderInvalid."""
    unknown = sorted(set(cells) - set(columns))
    if unknown or len(set(cells)) != len(cells):
        raise CsvHeaderInvalid(
            "the header has unknown or repeated columns", unknown=unknown[:ERRORS_SHOWN_MAX]
        )
    return list(cells)


def whole(text: str) -> int | str:
    """The number; what is none stays text, so that a strict decoder names the fault."""
    digits = text.removeprefix("-")
    is_whole = digits.isascii() and digits.isdigit() and len(digits) <= 18 and text != "-0"
    return int(text) if is_whole else text
