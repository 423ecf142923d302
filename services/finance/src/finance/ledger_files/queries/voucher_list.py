"""记账凭证列表 as XLSX: every line of every voucher of a month, however many, in as many sheets as it takes.

PostgreSQL writes the rows and Python packs them as they come, so memory does not grow with the month. What is no row
(sheets, widths, formats, headings) is made by XlsxWriter.
Source: F2, X7, regulations 3.0c
"""

import io
import json
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from itertools import islice
from typing import Any, NamedTuple

import xlsxwriter

from finance.book import book_of
from finance.kernel.period import month_text
from finance.ledger_files.queries.general_ledger import KINDS
from finance.vouchers import DRAFTED
from shared.clock import next_month
from shared.database import driver_of
from shared.errors import Conflict
from shared.languages import Text
from shared.transaction import Tx

ROWS_A_SHEET = 1_000_000
"""Lines on one sheet; Excel opens 1,048,576 rows."""
LINES_MAX = 5_000_000
BLOCK_BYTES = 65_536
FASTEST = 1
HEADINGS = (
    ("日期", 12),
    ("凭证字号", 12),
    ("摘要", 32),
    ("科目编码", 14),
    ("科目名称", 30),
    ("借方金额", 14),
    ("贷方金额", 14),
    ("客户", 38),
    ("门店", 10),
    ("制单", 20),
    ("审核", 20),
)


class VoucherListTooLong(Conflict):
    """Ask for one branch, or take the general ledger as CSV."""

    code = "voucher_list_too_long"
    cure = "Export the month as a general ledger instead."


_OF_MONTH = f"""
journal_entries e join journal_lines l on l.entry_id = e.id and l.booked_on = e.booked_on
left join {DRAFTED} v on e.kind = 'manual' and v.voucher_id = e.source_id
left join json_to_recordset(%(kinds)s::json) as k(kind text, zh text) on k.kind = e.kind
left join json_to_recordset(%(accounts)s::json) as a(code text, zh text) on a.code = l.account
where e.booked_on >= %(first)s::date and e.booked_on < %(until)s::date
  and l.booked_on >= %(first)s::date and l.booked_on < %(until)s::date
  and (%(branches)s::text[] is null or e.branch_id = any(%(branches)s))
"""
_TOTALS = f"select count(*), coalesce(sum(l.debit_fen), 0)::bigint, coalesce(sum(l.credit_fen), 0)::bigint from {_OF_MONTH}"
_NO_XML = "".join(f"\\u{code:04x}" for code in (*range(1, 32), 0xFFFE, 0xFFFF))


def _said(expression: str) -> str:
    """What people wrote, as XML: no character that XML has not, nothing that opens a tag."""
    cleaned = f"translate({expression}, e'{_NO_XML}', repeat(' ', 33))"
    return f"replace(replace(replace({cleaned}, '&', '&amp;'), '<', '&lt;'), '>', '&gt;')"


def _text(column: str, expression: str) -> str:
    """Nothing at all where there is nothing to say."""
    opened = f'\'<c r="{column}\' || row || \'" t="inlineStr"><is><t xml:space="preserve">\''
    return f"({opened} || {expression} || '</t></is></c>')"


def _money(column: str, fen: str) -> str:
    """Yuan as exact decimal text: Excel keeps doubles, which lose no fen below 10 trillion."""
    return (
        f"case when {fen} > 0 then concat('<c r=\"{column}', row, '\" s=\"', %(money)s::text, '\"><v>',"
        f" {fen} / 100, '.', lpad(({fen} %% 100)::text, 2, '0'), '</v></c>') end"
    )


# One row of the sheet a line. Quote and delimiter are characters that no cell holds, so nothing is quoted.
_ROWS = f"""
copy (
select concat('<row r="', row, '">',
    {_text("A", "booked_on")},
    {_text("B", "coalesce('记-' || chain_no, '未编号')")},
    {_text("C", _said("case when kind = 'manual' then coalesce(reference, zh) else concat_ws(' ', zh, reference) end"))},
    {_text("D", "account")},
    {_text("E", "name")},
    {_money("F", "debit_fen")}, {_money("G", "credit_fen")},
    {_text("H", "customer_id::text")},
    {_text("I", "branch_id")},
    {_text("J", _said("coalesce(drafted_by, actor)"))},
    {_text("K", _said("case when drafted_by is not null then actor end"))},
    '</row>')
from (
    select e.booked_on, e.chain_no, e.kind, e.reference, e.branch_id, e.actor, l.account, l.customer_id, l.debit_fen,
        l.credit_fen, v.drafted_by, coalesce(k.zh, e.kind) as zh, a.zh as name,
        (row_number() over (order by e.booked_on, e.id, l.no) - 1) %% %(rows)s::bigint + 2 as row
    from {_OF_MONTH} order by e.booked_on, e.id, l.no
) listed
) to stdout with (format csv, quote e'\\x01', delimiter e'\\x02')
"""


def voucher_list(tx: Tx, month: date, branches: list[str] | None) -> Iterator[bytes]:
    """The file, in blocks. Raises VoucherListTooLong before the first."""
    given: dict[str, Any] = {
        "first": month,
        "until": next_month(month),
        "branches": branches,
        "kinds": json.dumps([{"kind": kind, "zh": row["zh"]} for kind, row in KINDS.items()]),
        "accounts": json.dumps(
            [{"code": each.code, "zh": each.zh} for each in book_of(tx.conn).chart.accounts]
        ),
        "rows": ROWS_A_SHEET,
    }
    with driver_of(tx.conn) as driver, driver.cursor() as cursor:
        lines, debit_fen, credit_fen = cursor.execute(_TOTALS, given).fetchone() or (0, 0, 0)
        if lines > LINES_MAX:
            raise VoucherListTooLong(
                Text(
                    "the month has {lines} lines, a list at most {lines_max}",
                    lines=lines,
                    lines_max=LINES_MAX,
                ),
                lines=lines,
                most=LINES_MAX,
            )
        frame = _frame(month, lines, debit_fen, credit_fen)
        sink = _Sink()
        with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED, compresslevel=FASTEST) as book:
            for name, content in frame.others.items():
                book.writestr(name, content)
            with cursor.copy(_ROWS, {**given, "money": frame.money}) as copy:
                rows = iter(copy)
                for sheet in frame.sheets:
                    with book.open(sheet.name, "w") as part:
                        part.write(sheet.head)
                        for block in _blocks(islice(rows, ROWS_A_SHEET)):
                            part.write(block)
                            yield from sink.taken()
                        part.write(sheet.foot)
                # a last sheet that is full has not heard yet that nothing follows
                assert next(rows, None) is None, "a snapshot does not grow"
        yield from sink.taken()


def _blocks(rows: Iterator[Any]) -> Iterator[bytes]:
    block = bytearray()
    for row in rows:
        block += row
        if len(block) >= BLOCK_BYTES:
            yield bytes(block)
            block.clear()
    yield bytes(block)


class _Sink:
    """Where the archive is written to: what was packed waits to be taken."""

    def __init__(self) -> None:
        self._packed = bytearray()

    def write(self, packed: bytes) -> int:
        self._packed += packed
        return len(packed)

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """Whoever reads the blocks ends them."""

    def taken(self) -> Iterator[bytes]:
        if self._packed:
            yield bytes(self._packed)
            self._packed.clear()


class _Sheet(NamedTuple):
    name: str
    head: bytes
    foot: bytes


class _Frame(NamedTuple):
    others: Mapping[str, bytes]
    sheets: Sequence[_Sheet]
    money: str


A4 = 9
_SAMPLE = re.compile(rb'<c r="L1" s="(\d+)"/>')
_DIMENSION = re.compile(rb'<dimension ref="[^"]*"/>')
_HEADINGS_END = b"</row>"


def _frame(month: date, lines: int, debit_fen: int, credit_fen: int) -> _Frame:
    """The workbook without its lines; each sheet is cut where they go, and the totals follow the last."""
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as workbook:
        bold = workbook.add_format({"bold": True, "bottom": 1})
        money = workbook.add_format({"num_format": "#,##0.00"})
        total = workbook.add_format({"num_format": "#,##0.00", "bold": True, "top": 1})
        counts = [min(ROWS_A_SHEET, lines - first) for first in range(0, max(lines, 1), ROWS_A_SHEET)]
        for number, _ in enumerate(counts, 1):
            sheet = workbook.add_worksheet(month_text(month) + (f" ({number})" if number > 1 else ""))
            sheet.freeze_panes(1, 0)
            sheet.set_landscape()
            sheet.set_paper(A4)
            sheet.fit_to_pages(1, 0)
            sheet.repeat_rows(0)
            sheet.set_footer("&L&A&R&P / &N")
            for column, (heading, width) in enumerate(HEADINGS):
                sheet.set_column(column, column, width)
                sheet.write_string(0, column, heading, bold)
            sheet.write_blank(0, len(HEADINGS), None, money)
        sheet.write_string(counts[-1] + 1, 2, "合计", bold)
        sheet.write_number(counts[-1] + 1, 5, Decimal(debit_fen) / 100, total)
        sheet.write_number(counts[-1] + 1, 6, Decimal(credit_fen) / 100, total)
    with zipfile.ZipFile(file) as made:
        parts = {name: made.read(name) for name in made.namelist()}
    names = [f"xl/worksheets/sheet{number}.xml" for number, _ in enumerate(counts, 1)]
    sample = _SAMPLE.search(parts[names[0]])
    assert sample, "XlsxWriter writes a blank cell with its style"
    sheets = []
    for name, count in zip(names, counts, strict=True):
        rows = count + (2 if name == names[-1] else 1)
        said = _DIMENSION.sub(b'<dimension ref="A1:K%d"/>' % rows, _SAMPLE.sub(b"", parts.pop(name)))
        head, end, foot = said.partition(_HEADINGS_END)
        sheets.append(_Sheet(name, head + end, foot))
    return _Frame(parts, sheets, sample[1].decode())
