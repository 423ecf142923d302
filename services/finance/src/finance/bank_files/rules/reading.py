"""Which reader reads a file. What a file is, its bytes say; the request says what was meant, and a difference is named."""

from dataclasses import dataclass
from datetime import date

from finance.bank_files.rules import camt, layouts, mt940
from finance.bank_files.rules.dialects import Layout
from finance.bank_files.rules.encodings import Kind, decoded, kind_of, named
from finance.bank_files.rules.formats import Statement

_NAMES = {
    Kind.SHEET: "a text that has no MT940 fields, such as a CSV",
    Kind.WORKBOOK: "an XLSX workbook or another ZIP archive",
    Kind.MT940: "an MT940 file",
    Kind.CAMT: "an XML document",
}
TABLES = (Kind.SHEET, Kind.WORKBOOK)


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file as it is sent. MT940 and camt.053 say days and balances (fen) themselves; of a table they are told beside it."""

    format: str
    file: bytes
    dialect: str | None = None
    number: str | None = None
    from_on: date | None = None
    to_on: date | None = None
    opening_fen: int | None = None
    closing_fen: int | None = None


def read(upload: Upload, layout: Layout | None) -> list[Statement]:
    """The statements of a file, one per account. Of a table `layout` is its dialect.

    Raises StatementUnreadable.
    """
    wanted, found = Kind(upload.format), kind_of(upload.file)
    if found is not wanted and not (found in TABLES and wanted in TABLES):
        raise named(_NAMES[found])
    if found is Kind.MT940:
        return mt940.read(decoded(upload.file))
    if found is Kind.CAMT:
        return camt.read(upload.file)
    assert layout is not None
    assert upload.from_on is not None
    assert upload.to_on is not None
    assert upload.opening_fen is not None
    assert upload.closing_fen is not None
    return [
        Statement(
            account=None,
            number=upload.number or f"{upload.from_on}..{upload.to_on}",
            from_on=upload.from_on,
            to_on=upload.to_on,
            opening_fen=upload.opening_fen,
            closing_fen=upload.closing_fen,
            lines=layouts.read(upload.file, layout),
        )
    ]
