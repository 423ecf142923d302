"""A statement as a spreadsheet: numbers as numbers, the form's rows, set up to be printed on A4."""

import io
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import xlsxwriter

from finance.kernel.statement import Kind
from finance.statements.papers.paper import (
    LABELS,
    STATES,
    foot_of,
    period_of,
    require_form,
    signed,
    tables_of,
    unclassified,
)

MIMETYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
A4 = 9
ITEM_WIDTH, ROW_WIDTH, AMOUNT_WIDTH = 52, 6, 17
FIRST_TABLE_ROW = 4


def sheet(row: Mapping[str, Any]) -> bytes:
    """The frozen content. Raises StatementNotProvable.

    Excel knows doubles alone: amounts are yuan made from exact decimals, so that a fen is never lost below 10 trillion.
    """
    require_form(row)
    file = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(file, options) as workbook:
        workbook.set_properties({"title": f"{row['title']['zh']} {row['month']}", "comments": foot_of(row)})
        _Page(workbook, row).fill()
    return file.getvalue()


class _Page:
    def __init__(self, workbook: Any, row: Mapping[str, Any]) -> None:
        self.row = row
        self.sheet = workbook.add_worksheet(row["title"]["zh"])
        edge = {"border": 1, "valign": "vcenter"}
        self.title = workbook.add_format({"bold": True, "font_size": 16, "align": "center"})
        self.head = workbook.add_format({**edge, "bold": True, "align": "center", "text_wrap": True})
        self.plain = workbook.add_format({})
        self.right = workbook.add_format({"align": "right"})
        self.item = workbook.add_format({**edge, "text_wrap": True})
        self.share = workbook.add_format({**edge, "indent": 2, "text_wrap": True})
        self.bold = workbook.add_format({**edge, "bold": True, "text_wrap": True})
        self.number = workbook.add_format({**edge, "align": "center"})
        self.money = workbook.add_format({**edge, "num_format": "#,##0.00"})
        self.total = workbook.add_format({**edge, "num_format": "#,##0.00", "bold": True})

    def fill(self) -> None:
        tables = tables_of(self.row)
        halves = len(tables[0]["heads"])
        columns = len(tables[0]["columns"])
        self.width = halves * (columns + 2)
        self._set_up(halves, columns)
        self._headline()
        at = FIRST_TABLE_ROW
        for table in tables:
            at = self._table(table, at)
        for said in unclassified(self.row):
            at += 1
            self.sheet.write_string(at, 0, f"{LABELS['unclassified']}：{said}", self.plain)
        self._signatures(at + 1)

    def _set_up(self, halves: int, columns: int) -> None:
        page = self.sheet
        page.set_paper(A4)
        if self.row["kind"] in {Kind.BALANCE, Kind.EQUITY}:
            page.set_landscape()
        page.fit_to_pages(1, 0)
        page.set_margins(0.4, 0.4, 0.5, 0.6)
        page.center_horizontally()
        page.set_footer(f"&L&7{foot_of(self.row)}&R&8&P / &N")
        if self.row["kind"] != Kind.EQUITY:
            page.repeat_rows(0, FIRST_TABLE_ROW)
        for half in range(halves):
            start = half * (columns + 2)
            page.set_column(start, start, ITEM_WIDTH)
            page.set_column(start + 1, start + 1, ROW_WIDTH)
            page.set_column(start + 2, start + 1 + columns, AMOUNT_WIDTH)

    def _headline(self) -> None:
        row, last = self.row, self.width - 1
        company = row["company"]
        uscc = f"　{LABELS['uscc']}：{company['uscc']}" if company["uscc"] else ""
        self.sheet.merge_range(0, 0, 0, last, f"{row['title']['zh']} {row['title']['en']}", self.title)
        self.sheet.write_string(1, 0, period_of(row), self.plain)
        self.sheet.write_string(1, last, row["form"], self.right)
        self.sheet.write_string(2, 0, f"{LABELS['unit']}：{company['zh']} {company['en']}{uscc}", self.plain)
        self.sheet.write_string(2, last, LABELS["currency"], self.right)
        self.sheet.write_string(3, 0, f"{STATES[row['state']]} · {foot_of(row)}", self.plain)

    def _table(self, table: Mapping[str, Any], at: int) -> int:
        if table["group"]:
            self.sheet.merge_range(at, 0, at, self.width - 1, table["group"], self.head)
            at += 1
        column = 0
        for head in table["heads"]:
            self.sheet.write_string(at, column, head, self.head)
            self.sheet.write_string(at, column + 1, LABELS["row"], self.head)
            for offset, each in enumerate(table["columns"], 2):
                self.sheet.write_string(at, column + offset, f"{each['zh']} {each['en']}", self.head)
            column += len(table["columns"]) + 2
        for cells in table["rows"]:
            at += 1
            for half, cell in enumerate(cells):
                self._cell(cell, at, half * (len(table["columns"]) + 2), len(table["columns"]))
        return at + 1

    def _cell(self, cell: Any, at: int, column: int, amounts: int) -> None:
        if cell is None or cell["heading"]:
            said = f"{cell['zh']} {cell['en']}" if cell else ""
            self.sheet.write_string(at, column, said, self.bold)
            for offset in range(amounts + 1):
                self.sheet.write_blank(at, column + 1 + offset, None, self.item)
            return
        is_total = not cell["leaf"] and not cell["share"]
        style = self.bold if is_total else self.share if cell["share"] else self.item
        self.sheet.write_string(at, column, f"{cell['zh']} {cell['en']}", style)
        self.sheet.write_number(at, column + 1, cell["row"], self.number)
        for offset, fen in enumerate(cell["amounts"], 2):
            if fen is None:
                self.sheet.write_blank(at, column + offset, None, self.money)
            else:
                money = self.total if is_total else self.money
                self.sheet.write_number(at, column + offset, Decimal(fen) / 100, money)

    def _signatures(self, at: int) -> None:
        for offset, each in enumerate(signed(self.row)):
            said = (
                f"{each['zh']} {each['en']}{each['seal']}：{each['person']}　{LABELS['date']}：{each['on']}"
            )
            self.sheet.write_string(at + offset, 0, said, self.plain)
