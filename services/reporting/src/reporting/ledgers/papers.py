"""Ledgers as files for a spreadsheet: CSV (UTF-8 with a mark that Excel knows) and XLSX.

Amounts are written in yuan with exactly two decimals; headings are in the reader's language.
"""

import csv
import io
from collections.abc import Callable, Sequence
from typing import Any, Final

import xlsxwriter

from reporting.ledgers.queries.ledgers import RETURNS_MEASURES, SALES_MEASURES

Translate = Callable[[str], str]

BOM: Final = "\ufeff"
FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")

TITLES: Final = {"sales": "Sales ledger", "returns": "Returns ledger", "feedback": "Feedback ledger"}
HEADINGS: Final = {
    "day": "Day",
    "category": "Category",
    "receipts": "Receipts",
    "quantity": "Quantity",
    "net_fen": "Net",
    "tax_fen": "VAT",
    "total_fen": "Total",
    "cost_fen": "Cost",
    "margin_fen": "Gross margin",
    "refund_quantity": "Refunded quantity",
    "refund_net_fen": "Refunds net",
    "refund_tax_fen": "Refunds VAT",
    "refund_total_fen": "Refunds total",
    "reason": "Reason",
    "disposition": "Disposition",
    "returns": "Returns",
    "channel": "Channel",
    "kind": "Kind",
    "records": "Records",
}
COLUMNS: Final = {
    "sales": ("day", "category", *SALES_MEASURES),
    "returns": ("reason", "disposition", *RETURNS_MEASURES),
    "feedback": ("channel", "kind", "records"),
}


def yuan(fen: int) -> str:
    """`123456` → `1234.56`: exact, no thousands separator."""
    sign = "-" if fen < 0 else ""
    return f"{sign}{abs(fen) // 100}.{abs(fen) % 100:02d}"


def _heading(name: str, translate: Translate) -> str:
    heading = translate(HEADINGS[name])
    return f"{heading} (CNY)" if name.endswith("_fen") else heading


def _total_row(kind: str, totals: dict[str, int], translate: Translate) -> list[Any]:
    names = COLUMNS[kind]
    return [translate("Total") if index == 0 else totals.get(name, "") for index, name in enumerate(names)]


def as_csv(kind: str, content: dict[str, Any], translate: Translate) -> bytes:
    """Rows and the total row. A text that a spreadsheet would take for a formula is quoted with an apostrophe."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    names = COLUMNS[kind]
    writer.writerow([_heading(name, translate) for name in names])
    for row in [[each[name] for name in names] for each in content["rows"]]:
        writer.writerow(_csv_cells(names, row))
    writer.writerow(_csv_cells(names, _total_row(kind, content["totals"], translate)))
    return (BOM + out.getvalue()).encode("utf-8")


def _csv_cells(names: Sequence[str], row: Sequence[Any]) -> list[Any]:
    return [
        yuan(value)
        if name.endswith("_fen") and isinstance(value, int)
        else f"'{value}"
        if isinstance(value, str) and value.startswith(FORMULA_STARTS)
        else value
        for name, value in zip(names, row, strict=True)
    ]


def as_xlsx(kind: str, title: str, content: dict[str, Any], translate: Translate) -> bytes:
    """One sheet with a heading, frozen panes, a filter and a total row; amounts are numbers in yuan."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(
        out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    )
    sheet = book.add_worksheet(kind)
    bold = book.add_format({"bold": True, "bottom": 1})
    money = book.add_format({"num_format": "#,##0.00"})
    money_bold = book.add_format({"num_format": "#,##0.00", "bold": True, "top": 1})
    total = book.add_format({"bold": True, "top": 1})
    names = COLUMNS[kind]
    sheet.write(0, 0, title, book.add_format({"bold": True, "font_size": 14}))
    for column, name in enumerate(names):
        sheet.write(1, column, _heading(name, translate), bold)
    rows = [[each[name] for name in names] for each in content["rows"]]
    for number, row in enumerate(rows, start=2):
        _write_row(sheet, number, names, row, None, money)
    _write_row(sheet, len(rows) + 2, names, _total_row(kind, content["totals"], translate), total, money_bold)
    sheet.freeze_panes(2, 1)
    sheet.autofilter(1, 0, max(1, len(rows) + 1), len(names) - 1)
    sheet.set_column(0, len(names) - 1, 16)
    book.close()
    return out.getvalue()


def _write_row(
    sheet: Any, number: int, names: Sequence[str], row: Sequence[Any], plain: Any, money: Any
) -> None:
    for column, (name, value) in enumerate(zip(names, row, strict=True)):
        if name.endswith("_fen") and isinstance(value, int):
            # A spreadsheet has only doubles; amounts below 2^53 fen are exact to the cent.
            sheet.write_number(number, column, value / 100, money)
        elif isinstance(value, int):
            sheet.write_number(number, column, value, plain)
        else:
            sheet.write_string(number, column, str(value), plain)
