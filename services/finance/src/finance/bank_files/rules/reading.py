"""Which reader reads a file. What a file is, its bytes say; the request says what was meant, and a difference is named."""

from collections.abc import Mapping
from typing import Any

from finance.bank_files.rules import camt, layouts, mt940
from finance.bank_files.rules.encodings import Kind, decoded, kind_of, named
from finance.bank_files.rules.formats import Statement

_NAMES = {
    Kind.SHEET: "a text that has no MT940 fields, such as a CSV",
    Kind.WORKBOOK: "an XLSX workbook or another ZIP archive",
    Kind.MT940: "an MT940 file",
    Kind.CAMT: "an XML document",
}
TABLES = (Kind.SHEET, Kind.WORKBOOK)


def read(body: Mapping[str, Any], layout: Mapping[str, Any] | None) -> list[Statement]:
    """The statements of a file, one per account. Of a table `layout` is its dialect, and days and balances are told beside it.

    Raises StatementUnreadable.
    """
    wanted, found = Kind(body["format"]), kind_of(body["file"])
    if found is not wanted and not (found in TABLES and wanted in TABLES):
        raise named(_NAMES[found])
    if found is Kind.MT940:
        return mt940.read(decoded(body["file"]))
    if found is Kind.CAMT:
        return camt.read(body["file"])
    assert layout is not None
    told = {key: body[key] for key in ("from_on", "to_on", "opening_fen", "closing_fen")}
    number = body["number"] or f"{told['from_on']}..{told['to_on']}"
    return [Statement(account=None, number=number, lines=layouts.read(body["file"], layout), **told)]
