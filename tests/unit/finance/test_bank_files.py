"""Bank files of every kind and what banks put into them: MT940, camt.053, CSV and XLSX."""

import io
import os
import time
import zipfile
from datetime import date

import pytest
import xlsxwriter
from hypothesis import given, settings

from finance.bank_files.rules import (
    camt,
    dialects,
    encodings,
    formats,
    layouts,
    mt940,
    narrative,
    sheets,
    values,
)
from finance.bank_files.rules.clearing import recognise
from finance.bank_files.rules.encodings import Kind, decoded, kind_of
from finance.bank_files.rules.formats import StatementUnreadable
from finance.bank_matching import rules
from finance.bank_matching.rules import Item, MatchKind
from finance.bank_statements.rules import number_key
from tests.support.bank_writers import LAST, statements, written

DAY = date(2026, 10, 5)
PLAIN = dialects.layout_of(dialects.delivered()["plain"])
TWO = dialects.layout_of(dialects.delivered()["cn_two_columns"])
DIRECTION = dialects.layout_of(dialects.delivered()["cn_direction"])


def mt(
    *lines,
    opening="C260831CNY1000,00",
    closing="C260930CNY1000,00",
    head=":25:CN0012345\n:28C:9/1\n",
    kinds="FF",
):
    body = "".join(f"{each}\n" for each in lines)
    return f":20:X\n{head}:60{kinds[0]}:{opening}\n{body}:62{kinds[1]}:{closing}\n-\n"


def one(*lines, **odd):
    [statement] = mt940.read(mt(*lines, **odd))
    return statement


def csv(*rows, head="date,amount,reference,summary,counterparty"):
    return "\n".join([head, *rows, ""]).encode()


def faults(content, layout=PLAIN):
    with pytest.raises(StatementUnreadable) as refusal:
        layouts.read(content, layout)
    return [(each.row, each.column, each.value, each.code) for each in refusal.value.context["errors"]]


# --- amounts and days -------------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "fen"), [
    ("1", 100), ("1.5", 150), ("1.", 100), ("1234.56", 123_456), ("1,234.56", 123_456), ("12,345,678.90", 1_234_567_890), ("¥123.45", 12_345),
    ("￥１２３．４５", 12_345), ("1，234.50", 123_450), ("-12.00", -1_200), ("－12", -1_200), ("−12", -1_200), ("(12.00)", -1_200), ("¥-5", -500),
    ("-¥5", -500), ("+0.01", 1), ("12.5元", 1_250), ("CNY 12.00", 1_200), (" 1 234.00 ".replace(" 234", "234"), 123_400), ("0.00", 0), ("1.500", 150),
    ("`12.00", 1_200), ("\ufeff12", 1_200), ("", None), ("-", None), ("--", None), ("—", None), ("　", None),
])  # fmt: skip
def test_an_amount_is_read_as_people_write_it(text, fen):
    assert values.fen(text) == fen


@pytest.mark.parametrize("text", ["1e3", "1.005", "1,23", "1,2345.00", "1.234,56", "12.3.4", "--5", "-¥-5", "(-5)", "USD 5", "$5", "abc", "1 元 5 角", "99999999999999", "1,,000", "٣"])  # fmt: skip
def test_an_amount_that_could_mean_something_else_is_not_read(text):
    with pytest.raises(ValueError, match=r"."):
        values.fen(text)


@pytest.mark.parametrize("text", [
    "2026-10-05", "2026/10/05", "2026/10/5", "2026.10.05", "20261005", "2026年10月5日", "2026年10月05日", "２０２６年１０月５日", "2026-10-05 12:30:00",
    "2026/10/5 9:00", "20261005 123000", "20261005123000", "2026-10-05T12:30:00+08:00", "2026年10月5日 9时30分", " 2026-10-05\t", "2026 年 10 月 5 日",
])  # fmt: skip
def test_a_day_is_read_year_first_however_it_is_written(text):
    assert values.day(text) == DAY


@pytest.mark.parametrize("text", ["", "-", "05/10/2026", "10-05-2026", "5.10.26", "261005", "2026-13-01", "2026-02-29", "2026/10", "46300", "2026-10/05", "20261005x", "Oct 5 2026"])  # fmt: skip
def test_a_day_that_could_be_another_is_not_read(text):
    with pytest.raises(ValueError, match=r".|^$"):
        values.day(text)


def test_a_dialect_may_say_that_its_days_begin_with_the_day():
    assert values.day("05/10/2026", ["%d/%m/%Y"]) == DAY
    with pytest.raises(ValueError, match="2026"):
        values.day("2026-10-05", ["%d/%m/%Y"])


# --- what a file is ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("content", "told"), [
    (b"", "empty"), (b" \r\n", "empty"), (b"%PDF-1.7", "PDF"), (b"\xd0\xcf\x11\xe0\xa1\xb1", ".xls"), (b"<html><table>", "HTML"),
    (b"\n<!DOCTYPE html>", "HTML"), (b"<table><tr>", "HTML"), ("\ufeff<html>".encode(), "HTML"), (b"\x1f\x8b\x08", "gzip"), (b"\x89PNG", "picture"),
    (b'<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet">', "Excel 2003"), (b"Rar!\x1a", "RAR"),
])  # fmt: skip
def test_what_no_reader_reads_is_named(content, told):
    with pytest.raises(StatementUnreadable, match=told):
        kind_of(content)


@pytest.mark.parametrize("content", [b"PK\x03\x04", b"PK\x05\x06" + b"\0" * 18, b"PK\x03\x04" + b"x" * 400])
def test_a_stub_of_a_workbook_is_no_empty_statement(content):
    assert kind_of(content) is Kind.WORKBOOK
    with pytest.raises(StatementUnreadable, match=r"damaged|ZIP"):
        layouts.read(content, PLAIN)


def archive(**parts):
    into = io.BytesIO()
    with zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in parts.items():
            file.writestr(name.replace("__", "/"), content)
    return into.getvalue()


def test_another_archive_is_named_and_a_bomb_is_not_unpacked():
    with pytest.raises(StatementUnreadable, match="Word"):
        list(sheets.tables(archive(**{"word/document.xml": "x", "[Content_Types].xml": "x"})))
    with pytest.raises(StatementUnreadable, match="no XLSX"):
        list(sheets.tables(archive(**{"a.csv": "x"})))
    bomb = archive(**{"[Content_Types].xml": "x", "xl/workbook.xml": "x", "xl/worksheets/sheet1.xml": "0" * (sheets.UNPACKED_BYTES_MAX + 1)})  # fmt: skip
    assert len(bomb) < 1_000_000
    with pytest.raises(StatementUnreadable, match="unpacks"):
        list(sheets.tables(bomb))


@pytest.mark.parametrize(
    "content", [b"", b"\n\n", b"a,b,c\n1,2,3\n", b"date,sum\n", "日期,金额\n".encode("gb18030")]
)
def test_a_file_without_the_headings_is_refused_even_when_it_has_no_lines(content):
    with pytest.raises(StatementUnreadable):
        layouts.read(content, PLAIN)


def test_the_heading_that_is_missing_is_named_with_the_row_that_is_most_like_them():
    content = "对账单\n交易日期,借方发生额,摘要\n20261005,1,x\n".encode()
    assert faults(content, TWO)[0][0] == 2
    assert "贷方发生额" in faults(content, TWO)[0][1]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le", "utf-16-be"])
def test_the_encoding_is_found(encoding):
    text = "交易日期,借方发生额,贷方发生额,交易流水号,摘要,对方户名\n20261005,,3.00,A1,货款，三月,财付通\n"
    [line] = layouts.read(text.encode(encoding), TWO)
    assert (line.fen, line.summary, line.clearing) == (300, "货款,三月", "wechat")


# --- tables -----------------------------------------------------------------------------------------


def test_what_stands_around_the_lines_is_passed_over():
    text = (
        "账户明细,,,,,\n账号：6222,,,,,\n,,,,,\n交易日期,借方发生额,贷方发生额,交易流水号,摘要,对方户名\n"
        "2026/10/05,,￥1，234.50,A1,货款,甲\n本页合计,,1234.50,,,\n交易日期,借方发生额,贷方发生额,交易流水号,摘要,对方户名\n"
        "2026年10月5日,１２.５０,-,A2,手续费,\n,,,,,\n合计,12.50,1234.50,,,\n打印时间：2026-10-06,,,,,\n"
    )
    found = layouts.tried(text.encode("gb18030"), TWO)
    assert [each.fen for each in found.lines] == [123_450, -1_250]
    assert (found.headings_row, list(found.rows), list(found.passed_over), found.faults) == (4, [5, 8], [1, 2, 6, 7, 10, 11], [])  # fmt: skip


def test_every_fault_of_a_file_is_told_at_once_with_row_column_value_and_reason():
    content = csv(
        "2026-13-01,1.00,,,", "2026-10-05,1.005,,,", "2026-10-05,0.00,Z,zero,", "x,y,,,", "2026-10-05,,,,"
    )
    assert faults(content) == [
        (2, "date", "2026-13-01", "not_a_day"),
        (3, "amount", "1.005", "not_an_amount"),
        (5, "date", "x", "not_a_day"),
        (5, "amount", "y", "not_an_amount"),
        (6, "amount", "", "not_an_amount"),
    ]


def test_both_columns_filled_is_not_netted_and_neither_is_no_line():
    head = "交易日期,借方发生额,贷方发生额,交易流水号,摘要,对方户名"
    assert faults(csv("20261005,5,3,A,,", "20261005,,,B,,", head=head), TWO) == [
        (2, "贷方发生额, 借方发生额", "3, 5", "ambiguous"),
        (3, "贷方发生额, 借方发生额", None, "not_an_amount"),
    ]
    read = layouts.read(
        csv(
            "20261005,0.00,3,A,,", "20261005,2,0,B,,", "20261005,-4,,C,,", "20261005,0.00,0.00,D,,", head=head
        ),
        TWO,
    )
    assert [each.fen for each in read] == [300, -200, 400, 0]


@pytest.mark.parametrize(
    ("word", "fen"),
    [("借", -500), ("贷", 500), ("收入", 500), ("支出", -500), ("+", 500), ("-", -500), (" 贷 ", 500)],
)
def test_a_column_says_the_direction(word, fen):
    head = "交易日期,借贷标志,交易金额,交易流水号,摘要"
    [line] = layouts.read(csv(f"2026-10-05,{word},5.00,A,x", head=head), DIRECTION)
    assert line.fen == fen


def test_an_unknown_direction_and_one_that_is_told_twice_are_refused():
    head = "交易日期,借贷标志,交易金额,交易流水号,摘要"
    assert faults(csv("2026-10-05,其他,5.00,A,x", "2026-10-05,借,-5.00,A,x", head=head), DIRECTION) == [
        (2, "借贷标志", "其他", "not_a_direction"),
        (3, "交易金额", "-5.00", "ambiguous"),
    ]


@pytest.mark.parametrize(("dialect", "text", "fen", "reference"), [
    ("icbc", '[HISTORYDETAIL]\n凭证号,交易时间,借/贷,借方发生额,贷方发生额,对方单位名称,摘要,用途,余额\n001,2026-10-05 10:11:12,贷,,"1,000.00",甲公司,货款,十月,5000\n,2026-10-05 11:00:00,借,3.00,,,手续费,,4997\n', [100_000, -300], "001"),
    ("ccb", "账号,账户名称,交易时间,借方发生额（支取）,贷方发生额（收入）,余额,币种,对方户名,记账日期,摘要,备注,账户明细编号-交易流水号\n6222,甲,20261005 10:00:00,0.00,12.00,12,人民币元,乙,20261005,货款,,1-9\n6222,甲,20261005 10:00:00,2.00,0.00,10,人民币元,乙,20261005,付款,,1-10\n", [1_200, -200], "1-9"),
    ("alipay_merchant", '#支付宝账务明细查询\n#账号：[2088]\n#-----------账务明细列表------\n账务流水号,业务流水号,商户订单号,商品名称,发生时间,对方账号,收入金额（+元）,支出金额（-元）,账户余额（元）,业务类型,备注\n"1\t","2\t",,药,2026-10-05 01:02:03,a***,10.00,0.00,10.00,在线支付,\n3,4,,,2026-10-05 01:02:03,,0.00,-0.06,9.94,收费,\n#-----------账务明细列表结束------\n#支出合计：1笔，共-0.06元\n', [1_000, -6], "1 2"),
    ("wechat_merchant", "记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,收支金额(元),账户结余(元),备注,业务凭证号\n`2026-10-05 01:02:03,`42,`10,`交易,`交易,`收入,`10.00,`10.00,`结算,`88\n`2026-10-05 01:02:04,`43,`11,`扣费,`扣除手续费,`支出,`0.06,`9.94,`,`89\n资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额\n`2,`1,`10.00,`1,`0.06\n", [1_000, -6], "42 10 88"),
])  # fmt: skip
def test_ordinary_exports_are_read_by_the_dialects_delivered(dialect, text, fen, reference):
    for encoding in ("utf-8-sig", "gb18030"):
        lines = layouts.read(text.encode(encoding), dialects.layout_of(dialects.delivered()[dialect]))
        assert ([each.fen for each in lines], lines[0].reference) == (fen, reference)
        assert {each.booked_on for each in lines} == {DAY}


def test_a_row_with_a_wrong_day_is_no_footer_whatever_its_words():
    head = "交易日期,借方发生额,贷方发生额,交易流水号,摘要,对方户名"
    rows = [
        "2026-13-05,5,,A,打印费,",
        "20261005,5,,B,共济药房,第一医院",
        ",5,,,合计,",
        "第1页,,,,,",
        "共2笔,,,,,",
        "x,1,,C,合计,",
    ]
    assert [each[:3] for each in faults(csv(*rows, head=head), TWO)] == [
        (2, "交易日期", "2026-13-05"),
        (7, "交易日期", "x"),
    ]


def test_an_amount_that_the_separator_cuts_is_not_read_as_its_first_part():
    assert faults(csv("2026-10-05,1.00,A,x,", "2026-10-05,12,345.67,B,y,"))[0][:2] == (3, "*")
    assert faults(csv("2026-10-05,¥12,345.67,B,y,"))[0][:2] == (2, "*")
    assert [each.fen for each in layouts.read(csv("2026-10-05,1.00,A,x,,", "2026-10-05,2.00,A,x,,"), PLAIN)] == [100, 200]  # fmt: skip


def test_the_unit_in_a_heading_is_yuan_and_no_other_heading():
    head = "交易日期,借方发生额（元）,贷方发生额(人民币),交易流水号,摘要"
    assert [each.fen for each in layouts.read(csv("20261005,5,,A,", head=head), TWO)] == [-500]


@pytest.mark.parametrize("delimiter", ["\t", ";", "|", ","])
def test_the_separator_is_found(delimiter):
    content = csv("2026-10-05,5.00,A,x,").replace(b",", delimiter.encode())
    assert [each.fen for each in layouts.read(content, PLAIN)] == [500]


def test_another_currency_is_refused_by_name():
    head = "date,amount,reference,summary,counterparty,currency"
    assert faults(csv("2026-10-05,5.00,A,x,,USD", "2026-10-05,5.00,A,x,,CNY", head=head)) == [
        (2, "currency", "USD", "other_currency")
    ]


def test_a_heading_that_stands_twice_and_a_row_that_is_too_long_are_refused():
    assert faults(csv("2026-10-05,1,2,x", head="date,amount,amount,summary"))[0][3] == "ambiguous"
    assert faults(csv("2026-10-05,1,A,goods, all of them,x"))[0][:2] == (2, "*")
    assert faults(csv('2026-10-05,"1.00,A,x,'))[0][:2] == (2, "*")


def workbook(*rows, kinds=()):
    into = io.BytesIO()
    book = xlsxwriter.Workbook(into, {"in_memory": True})
    sheet = book.add_worksheet()
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    for no, row in enumerate(rows):
        for column, value in enumerate(row):
            if isinstance(value, date):
                sheet.write_datetime(no, column, value, day)
            else:
                sheet.write(no, column, value)
    book.close()
    return into.getvalue()


def test_a_workbook_is_read_like_a_csv():
    content = workbook(["对账单"], ["date", "amount", "reference", "summary", "counterparty"], [DAY, 0.1 + 0.2, "A", "x", ""], ["2026/10/05", "-1,234.50", 12, "y", ""], ["合计", 1])  # fmt: skip
    lines = layouts.read(content, PLAIN)
    assert [(each.booked_on, each.fen, each.reference) for each in lines] == [
        (DAY, 30, "A"),
        (DAY, -123_450, "12"),
    ]
    assert faults(workbook(["date", "amount"], [DAY, 1.005], ["", 5]))[0] == (
        2,
        "amount",
        "1.005",
        "not_an_amount",
    )


# --- MT940 ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("line", "booked", "valued"), [
    ("261001C5,00NTRFB", date(2026, 9, 30), date(2026, 10, 1)), ("260829C5,00NTRFB", date(2026, 9, 1), date(2026, 8, 29)),
    ("260831C5,00NTRFB", date(2026, 9, 1), date(2026, 8, 31)), ("2610010930C5,00NTRFB", date(2026, 9, 30), date(2026, 10, 1)),
    ("2609301001C5,00NTRFB", date(2026, 9, 30), date(2026, 9, 30)), ("260915    C5,00NTRFB", date(2026, 9, 15), date(2026, 9, 15)),
])  # fmt: skip
def test_a_line_is_booked_within_its_statement_and_valued_when_the_bank_says(line, booked, valued):
    statement = one(f":61:{line}", closing="C260930CNY1005,00")
    assert [(each.booked_on, each.valued_on) for each in statement.lines] == [(booked, valued)]
    assert statement.from_on <= booked <= statement.to_on


@pytest.mark.parametrize(("line", "opened", "closed", "booked"), [
    ("2601011231C5,00NTRFB", "251230", "260101", date(2025, 12, 31)), ("2512310102C5,00NTRFB", "251230", "260102", date(2026, 1, 2)),
    ("2802280229C5,00NTRFB", "280227", "280229", date(2028, 2, 29)), ("2612310101C5,00NTRFB", "261231", "270101", date(2027, 1, 1)),
])  # fmt: skip
def test_an_entry_date_is_of_the_year_in_which_its_statement_lies(line, opened, closed, booked):
    statement = one(f":61:{line}", opening=f"C{opened}CNY0,", closing=f"C{closed}CNY5,00")
    assert [each.booked_on for each in statement.lines] == [booked]


@pytest.mark.parametrize(("line", "fen"), [("C1,", 100), ("D0,5", -50), ("C0,00", 0), ("RC2,00", -200), ("RD2,00", 200), ("CY3,10", 310), ("RDR3,10", 310), ("DR4,", -400), ("C1234567890,12", 123_456_789_012)])  # fmt: skip
def test_every_fen_and_direction_of_a_line_is_kept(line, fen):
    [found] = one(f":61:2609010901{line}NTRFB//C").lines
    assert (found.fen, found.reference) == (fen, "B C")


def test_references_supplementary_details_and_the_envelope_are_read():
    text = "{1:F01BANKCNBJXXX}{2:I940X}{4:\r\n" + mt(":61:2609010901C5,00NTRF1234567890123456//6543210987654321", "DETAILS OF BANK").replace("\n", "\r\n").replace("-\r\n", "-}{5:{CHK:1}}\r\n")  # fmt: skip
    [statement] = mt940.read(text)
    assert [(each.reference, each.summary) for each in statement.lines] == [
        ("1234567890123456 6543210987654321", "DETAILS OF BANK")
    ]


@pytest.mark.parametrize(("odd", "column"), [
    ({"opening": "C260831EUR1,00"}, ":60F:"), ({"closing": "C269930CNY1,00"}, ":62F:"), ({"opening": "X"}, ":60F:"), ({"closing": "C260930CNY1,005"}, ":62F:"),
])  # fmt: skip
def test_a_faulty_balance_is_named(odd, column):
    with pytest.raises(StatementUnreadable) as refusal:
        one(**odd)
    assert [each.column for each in refusal.value.context["errors"]] == [column]


def test_all_faulty_lines_are_named_with_their_rows():
    with pytest.raises(StatementUnreadable) as refusal:
        one(":61:2613010901C5,00NTRFB", ":61:what", ":61:2609010230C5,00NTRFB")
    assert [(each.row, each.column) for each in refusal.value.context["errors"]] == [
        (5, ":61:"),
        (6, ":61:"),
        (7, ":61:"),
    ]


def test_pages_are_one_statement_and_accounts_are_several():
    pages = mt(":61:2609010901C5,00NTRFA", closing="C260930CNY1005,00", kinds="FM") + mt(":61:2609020902D5,00NTRFB", opening="C260930CNY1005,00", head=":25:CN 001-2345\n:28C:9/2\n", kinds="MF")  # fmt: skip
    other = mt(":61:2609010901C7,00NTRFC", closing="C260930CNY1007,00", head=":25:CN999\n:28C:1\n")
    found = mt940.read(pages + other)
    assert [(each.account, each.closing_fen, len(each.lines), each.continues) for each in found] == [("CN0012345", 100_000, 2, False), ("CN999", 100_700, 1, False)]  # fmt: skip
    [second] = mt940.read(mt(":61:2609020902D5,00NTRFB", opening="C260930CNY1005,00", kinds="MF"))
    assert second.continues


def test_pages_of_one_message_are_read_without_a_head_of_their_own():
    text = mt(":61:2609010901C5,00NTRFA", closing="C260901CNY1005,00", kinds="FM").replace("-\n", "")
    text += ":28C:9/2\n:60M:C260901CNY1005,00\n:61:2609020902D5,00NTRFB\n:62F:C260930CNY1000,00\n-\n"
    [statement] = mt940.read(text)
    assert ([each.fen for each in statement.lines], statement.closing_fen) == ([500, -500], 100_000)


def test_two_days_of_one_number_are_two_statements_and_the_same_again_is_the_same():
    head = ":25:CN001\n:28C:00000/001\n"
    first = one(":61:2609010901C5,00NTRFA", opening="C260831CNY0,", closing="C260901CNY5,00", head=head)
    second = one(":61:2609020902C5,00NTRFA", opening="C260901CNY5,00", closing="C260902CNY10,00", head=head)
    assert first.number == second.number
    assert formats.identity(first) != formats.identity(second)
    assert formats.identity(first) == formats.identity(one(":61:2609010901C5,00NTRFA", opening="C260831CNY0,", closing="C260901CNY5,00", head=":25:CN001\n:28C:77\n"))  # fmt: skip


def test_a_field_86_of_the_whole_statement_is_of_no_line():
    text = mt(":61:2609010901C5,00NTRFA", ":86:goods").replace("-\n", ":86:/SUM/10/3/\n-\n")
    [statement] = mt940.read(text)
    assert [each.summary for each in statement.lines] == ["goods"]


# --- references and purpose -------------------------------------------------------------------------


@pytest.mark.parametrize(("told", "references", "purpose"), [
    (["/EREF/KH1234ABCD/REMI/goods of October/NAME/ZHANG SAN/IBAN/DE89370400440532013000"], ["KH1234ABCD"], "goods of October"),
    (["/NAME/ZHANG SAN/REMI/goods 10/05/26/EREF/KH1"], ["KH1"], "goods 10/05/26"),
    (["/ORDP//NAME/ZHANG SAN/ACCT/6222/REMI/货款/EREF/KH1/BENM//NAME/我们"], ["KH1"], "货款"),
    (["/EREF/KH1//CNTP/NL92RABO/RABONL2U/ZHANG SAN///REMI/USTD//text/"], ["KH1"], "text"),
    (["/EREF/KH1", "/REMI/goods of", "October", "/NAME/ZHANG", "SAN"], ["KH1"], "goods of October"),
    (["166?00GUTSCHRIFT?20EREF+KH1234?21SVWZ+goods of ?22October?30BANKCN?31CN6222?32ZHANG SAN?33LIMITED"], ["KH1234"], "goods of October"),
    (["166?00GUTSCHRIFT?20goods of?21 October?60 and more?32ZHANG SAN"], [], "goods of October and more"),
    (["EREF+KH1 SVWZ+goods ABWA+ZHANG SAN"], ["KH1"], "goods"),
    (["货款 KH1234", "十月 付款人：张三 账号：6222020200112345678"], [], "货款 KH1234 十月"),
    (["对方户名：张三，用途：货款"], [], "用途:货款".replace(":", "：")),
    (["goods DE89370400440532013000 of KH1234"], [], "goods of KH1234"),
    ([], [], ""),
])  # fmt: skip
def test_references_and_purpose_are_kept_and_payers_are_not(told, references, purpose):
    found = narrative.read(told)
    assert (list(found.references), found.purpose) == (references, purpose)


WITHOUT_PARTIES = [
    ("付款人张三 账号6222020200112345678 货款", "货款"), ("付款人 张三 账号 6222020200112345678 货款", "货款"), ("货款 付款人：张三账号：6222020200112345678", "货款"),
    ("付款人张三账号6222020200112345678货款", "货款"), ("付款人张三货款", "货款"), ("对方户名张三 货款 KH1234ABCD", "货款 KH1234ABCD"),
    ("付款人　张三　账号　６２２２０２０２００１１２３４５６７８　货款", "货款"), ("付款人：ZHANG SAN 货款", "货款"), ("付款人 ZHANG SAN KH1234", "KH1234"),
    ("收款单位 上海甲乙药房有限公司 账户 31050161364400000123 药款", "药款"), ("户名：欧阳小明 卡号 6222 0202 0011 2345 678 房租", "房租"),
    ("付款账号6222********5678 货款", "货款"), ("账号 zhang.san@example.com 退款", "退款"), ("身份证110101199003078515 报销", "报销"),
    ("身份证号：11010119900307851X 手机 138 0013 8000 报销", "报销"), ("payer ZHANG SAN account 6222020200112345678 goods", "goods"),
    ("Payer: Zhang San; a/c no. 6222020200112345678; Payment INV-7", "Payment INV-7"), ("货款 张三 6222020200112345678", "货款"),
    ("货款张三6222020200112345678", "货款"), ("6222020200112345678张三货款", "货款"), ("6222020200112345678 张三 货款", "货款"), ("货款 6222020200112345678", "货款"),
    ("货款 6222020200112345678 KH1234ABCD", "货款 KH1234ABCD"), ("十月货款 买买提·艾力 6222-0202-0011-2345", "十月货款"), ("102290012345 李四 运费", "运费"),
    ("转账 ZHANG SAN 6222020200112345678 KH1", "转账 KH1"), ("goods of October 6222020200112345678", "goods of October"), ("张三 622202******5678 退款", "退款"),
    ("汇款人 李四 付款人王五 货款", "货款"), ("张三/6222020200112345678/货款", "货款"), ("付款人：上海ABC医药公司 货款", "货款"), ("对方户名：ABC药房 货款", "货款"), ("ZHANG SAN DE89370400440532013000 goods", "goods"), ("张三-6222020200112345678 房租", "房租"), ("账号6222020200112345678 张三", ""),
    ("6222020200112345678", ""), ("付款人王利息县药房 货款", "货款"), ("转账 张三（6222020200112345678）", "转账"), ("付款人为张三 货款", "货款"), ("货款 11010119900307851X", "货款"),
]  # fmt: skip


@pytest.mark.requirement("F3")
@pytest.mark.parametrize(("text", "kept"), WITHOUT_PARTIES)
def test_neither_a_payer_nor_an_account_is_kept_of_any_file(text, kept):
    entry = f'<Ntry><Amt Ccy="CNY">5.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts><BookgDt><Dt>2026-09-10</Dt></BookgDt><AddtlNtryInf>{text}</AddtlNtryInf></Ntry>'
    [line] = one(":61:2609010901C5,00NTRFNONREF", f":86:{text}").lines
    [entered] = camt.read(xml(entry, closing="15.00").encode())[0].lines
    row = text.replace(",", "，")
    [told] = layouts.read(f"date,amount,summary\n2026-10-05,5.00,{row}\n".encode(), PLAIN)
    assert (line.summary, entered.summary, told.summary) == (kept, kept, kept)


@pytest.mark.parametrize("text", [
    "货款 KH1234ABCD", "发票 26310000000123456789 货款", "26310000000123456789", "发票号码044001900111 货款", "订单 123456789012345", "订单号：123456789012",
    "202610051230001 货款", "支付宝 2026100522001412341400012345", "4200002026202610051234567890", "合同编号 330106198812", "invoice 123456789012", "ORD-202610051234567", "BAG-123456789012", "INV/2026/123456789012 goods", "12345678901",
    "付款方式 微信", "收款人民币100元", "账户管理费", "账户利息", "汇款 货款", "收款 KH1", "付款 KH1234", "退款 0a1b2c3d-1234-5678-9abc-123456789012",
    "2026-10-05 12:30:00 货款", "card fee", "account maintenance fee", "name of goods", "12,345,678,901.00", "首付方案", "张三 货款",
])  # fmt: skip
def test_what_is_no_party_stays_as_the_bank_wrote_it(text):
    assert narrative.read([text]).purpose == text


def test_free_words_of_any_length_are_read_in_a_moment():
    for each in (
        "付款人",
        "货款",
        "6222 ",
        "A",
        "Zhang ",
        "账号 ",
        "对方户名张三",
        "1" * 12 + " ",
        "款",
        "(",
    ):
        begun = time.process_time()
        narrative.read([each * (20_000 // len(each))])
        assert time.process_time() - begun < 5, each


def test_a_reference_in_field_86_is_proposed_and_a_longer_one_is_not():
    def item(reference):
        return Item(kind=MatchKind.BOOK, source_id=date.max, entry_kind="x", branch_id="S1", booked_on=date(2026, 1, 1), fen=500, reference=reference)  # fmt: skip

    [line] = one(":61:2609010901C5,00NTRFNONREF", ":86:/EREF/KH1234ABCD/REMI/goods/NAME/ZHANG").lines
    told = rules.Line(
        booked_on=line.booked_on, fen=line.fen, reference=line.reference, summary=line.summary, clearing=None
    )
    found = rules.propose(told, [item("KH1234ABCD"), item("KH1234"), item("1234")], [])
    assert [each.items[0].reference for each in found] == ["KH1234ABCD"]


@pytest.mark.parametrize(("text", "clearing"), [
    ("CASH DEPOSIT", None), ("position", None), ("purpose: deposit", None), ("EXPOSURE", None), ("POS", "card"), ("POS机 清算", "card"), ("POS0042", "card"),
    ("ＰＯＳ消费", "card"), ("pos-settlement", "card"), ("验收单", None), ("收单结算", "card"), ("小微信贷", None), ("微信支付", "wechat"), ("WeChatPay", "wechat"),
    ("中医保健", None), ("医保结算", "medical_insurance"), ("ALIPAY.COM", "alipay"), ("alipayment", None), ("银联名卡", None), ("中国银联", "card"), ("支付宝", "alipay"),
])  # fmt: skip
def test_who_settles_is_told_by_words_and_not_by_parts_of_them(text, clearing):
    assert recognise(text, DAY) == clearing


@pytest.mark.parametrize(
    "number",
    ["6222 0200-0001", "６２２２０２０００００１", "6222-0200 0001", "6222.0200.0001", "62220200　0001"],
)
def test_spellings_of_one_account_are_one_number(number):
    assert number_key(number) == "622202000001"
    assert number_key("cn-001") == number_key("CN001")


# --- camt.053 ---------------------------------------------------------------------------------------


def xml(
    *entries,
    version="02",
    opening="OPBD",
    currency="CNY",
    account="<IBAN>CN0012345</IBAN>",
    closing="10.00",
    number="1",
):
    return f"""<?xml version="1.0" encoding="UTF-8"?><Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.{version}"><BkToCstmrStmt><Stmt>
<Id>S{number}</Id><ElctrncSeqNb>{number}</ElctrncSeqNb><Acct><Id>{account}</Id><Ccy>CNY</Ccy></Acct>
<Bal><Tp><CdOrPrtry><Cd>{opening}</Cd></CdOrPrtry></Tp><Amt Ccy="{currency}">10.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-08-31</Dt></Dt></Bal>
<Bal><Tp><CdOrPrtry><Cd>CLBD</Cd></CdOrPrtry></Tp><Amt Ccy="CNY">{closing}</Amt><CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-09-30</Dt></Dt></Bal>
{"".join(entries)}</Stmt></BkToCstmrStmt></Document>"""


def ntry(
    amount="5.00",
    side="CRDT",
    status="<Sts>BOOK</Sts>",
    booked="<Dt>2026-09-10</Dt>",
    more="",
    currency="CNY",
):
    return f"""<Ntry><Amt Ccy="{currency}">{amount}</Amt><CdtDbtInd>{side}</CdtDbtInd>{status}<BookgDt>{booked}</BookgDt><ValDt><Dt>2026-10-01</Dt></ValDt>
<AcctSvcrRef>BANK1</AcctSvcrRef><NtryDtls>{more}</NtryDtls></Ntry>"""


DETAILS = """<TxDtls><Refs><EndToEndId>KH1</EndToEndId></Refs><RltdPties><Dbtr><Nm>ZHANG SAN</Nm></Dbtr></RltdPties><RmtInf><Ustrd>goods</Ustrd></RmtInf></TxDtls>"""


@pytest.mark.parametrize("version", ["02", "04", "06", "08", "10"])
def test_camt_is_read_in_its_versions(version):
    status = "<Sts><Cd>BOOK</Cd></Sts>" if version >= "08" else "<Sts>BOOK</Sts>"
    pending = ntry(status=status.replace("BOOK", "PDNG"))
    [statement] = camt.read(xml(ntry(status=status, more=DETAILS), ntry("3.00", "DBIT", status), pending, version=version, closing="12.00").encode())  # fmt: skip
    assert [
        (each.fen, each.reference, each.summary, each.booked_on, each.valued_on) for each in statement.lines
    ] == [
        (500, "KH1 BANK1", "goods", date(2026, 9, 10), date(2026, 10, 1)),
        (-300, "BANK1", "", date(2026, 9, 10), date(2026, 10, 1)),
    ]
    assert (statement.account, statement.opening_fen, statement.closing_fen, statement.to_on) == ("CN0012345", 1_000, 1_200, date(2026, 9, 30))  # fmt: skip
    assert "ZHANG" not in repr(statement)


def test_a_batch_and_a_reversal_stay_one_line_each():
    batch = ntry("9.00", more=DETAILS + DETAILS.replace("KH1", "KH2"))
    reversal = ntry("4.00", "DBIT").replace("<Sts>", "<RvslInd>true</RvslInd><Sts>")
    [statement] = camt.read(xml(batch, reversal).encode())
    assert [(each.fen, each.reference) for each in statement.lines] == [
        (900, "KH1 KH2 BANK1"),
        (-400, "BANK1"),
    ]


def test_a_moment_is_booked_on_the_day_in_china_and_within_the_statement():
    night = ntry(booked="<DtTm>2026-09-10T20:00:00Z</DtTm>")
    late = ntry(booked="<Dt>2026-10-03</Dt>")
    [statement] = camt.read(xml(night, late, opening="PRCD").encode())
    assert [each.booked_on for each in statement.lines] == [date(2026, 9, 11), date(2026, 9, 30)]
    assert statement.from_on == date(2026, 9, 1)


@pytest.mark.parametrize(("content", "told"), [
    (xml(currency="EUR"), "EUR"), (xml(ntry(currency="USD")), "USD"), (xml(ntry(side="X")), "CRDT"), (xml(ntry("1.005")), "amount"), (xml(opening="XXXX"), "OPBD"),
    (xml(account=""), "Acct"), (xml(ntry(booked="<Dt>x</Dt>")).replace("<ValDt><Dt>2026-10-01</Dt></ValDt>", ""), "day"), ("<a/>", "XML"), ("<a>", "well-formed"),
    ('<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "entities"), ('<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', "entities"),
    ('<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.054.001.02"/>', "camt.054"),
    ('<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"/>', "no statement"),
])  # fmt: skip
def test_what_is_wrong_with_an_xml_is_named(content, told):
    with pytest.raises(StatementUnreadable) as refusal:
        camt.read(content.encode())
    assert told in refusal.value.detail


def test_text_of_every_encoding_is_decoded_or_its_row_is_named():
    with pytest.raises(StatementUnreadable, match="row 2"):
        decoded(b"a\n\xff\xff\xff")
    assert encodings.decoded("中".encode("utf-16")) == "中"


# --- all formats say the same -----------------------------------------------------------------------


def as_read(lines):
    return [(each.booked_on, each.valued_on, each.fen, each.reference, each.summary) for each in lines]


@pytest.mark.requirement("F3")
@settings(max_examples=int(os.environ.get("APOTHECA_BANK_READS", "150")), deadline=None)
@given(statements())
def test_one_statement_is_read_the_same_from_every_format(logical):
    """`APOTHECA_BANK_READS` sets how many statements are generated."""
    files = written(logical)
    told = [(each.day, each.valued_on, each.fen, each.reference, each.summary) for each in logical.lines]
    for kind, reader in (("mt940", lambda content: mt940.read(decoded(content))), ("camt053", camt.read)):
        [statement] = reader(files[kind])
        assert as_read(statement.lines) == told, kind
        assert (statement.opening_fen, statement.closing_fen, statement.to_on) == (logical.opening_fen, logical.closing_fen, LAST)  # fmt: skip
        assert "SOMEBODY" not in repr(statement)
    for dialect in ("plain", "cn_two_columns", "cn_direction"):
        assert (
            as_read(layouts.read(files[dialect], dialects.layout_of(dialects.delivered()[dialect]))) == told
        ), dialect
    assert as_read(layouts.read(files["xlsx"], PLAIN)) == told
