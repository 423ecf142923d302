"""Bank files as they come: broken by hand, by other programs and on purpose. What could mean two things is refused."""

import io
import time
import zipfile
from dataclasses import replace
from datetime import date

import pytest
import xlsxwriter

from finance.bank_files.rules import camt, dialects, encodings, layouts, mt940, sheets, values
from finance.bank_files.rules.formats import StatementUnreadable
from finance.bank_statements import rules

DAY = date(2026, 10, 5)
PLAIN = dialects.layout_of(dialects.delivered()["plain"])
HEAD = "date,amount,reference,summary,counterparty\n"
LINE = ":61:2609010901C5,00NTRFA"


def message(*lines, opening="C260831CNY10,00", closing="C260930CNY15,00", end="\n-\n"):
    return "\n".join([":20:X", ":25:CN1", ":28C:1", f":60F:{opening}", *lines, f":62F:{closing}"]) + end


def columns_of(refusal):
    return [(each.row, each.column, each.code) for each in refusal.value.context["errors"]]


# --- amounts and days ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "fen"), [("1 234.56", 123_456), ("12 345 678.90", 1_234_567_890), (".50", 50), ("-.5", -50), ("¥ 12.00 元", 1_200)])  # fmt: skip
def test_blanks_part_thousands_and_a_point_may_begin(text, fen):
    assert values.fen(text) == fen


@pytest.mark.parametrize("text", ["1 2.00", "1234 567", "12 .00", "12. 00", "5 00", ".", "²", "㊿", "1½", "12.00-", "12.00 CR"])  # fmt: skip
def test_two_numbers_and_figures_of_other_kinds_are_no_amount(text):
    with pytest.raises(ValueError, match=r"."):
        values.fen(text)


@pytest.mark.parametrize(("text", "day"), [
    ("2026-10-05T20:00:00Z", date(2026, 10, 6)), ("2026/10/05 20:00:00+00:00", date(2026, 10, 6)), ("2026-10-05T20:00:00+08:00", DAY),
    ("2026-10-05T23:59:60", DAY), ("2026/10/5 上午 9:00", DAY), ("2026-10-05 09:00 AM", DAY), ("2026-10-05 24:00", DAY),
])  # fmt: skip
def test_a_time_with_an_offset_names_the_day_that_it_is_in_shanghai(text, day):
    assert values.day(text) == day


@pytest.mark.parametrize("text", ["2026-10-05 25:61", "2026-10-05 9", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"])  # fmt: skip
def test_a_clock_that_does_not_exist_makes_no_day(text):
    with pytest.raises(ValueError, match=r"."):
        values.day(text)


@pytest.mark.parametrize("text", ["%Y-%m-%d", "%d/%m/%y", "%Y%m%d %H%M%S", "%d-%b-%Y", "%Y年%m月%d日"])
def test_a_format_names_year_month_and_day(text):
    assert values.is_format(text)


@pytest.mark.parametrize("text", ["%Y%Y", "%Y-%m-%d%Y", "%Y-%y-%m-%d", "%d", "%j %Y", "%c", "%x", "%Y-%m-%d%", "%Y-%m-%d %z", "%m-%b-%d-%Y", "%Y-%m-%-d", "%Y-%m-%d %f%f", "x"])  # fmt: skip
def test_a_format_that_names_no_day_or_one_twice_is_refused_and_never_breaks(text):
    assert not values.is_format(text)
    with pytest.raises(ValueError, match=r"."):
        values.day("x 2026-10-05", [text])


# --- encodings ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("ends", ["\n", "\r", "\r\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_the_row_of_a_byte_that_is_no_text_is_counted_in_every_encoding(ends, encoding):
    whole = f"{HEAD}2026-10-05,5.00,A,x,\n".replace("\n", ends).encode(encoding)
    with pytest.raises(StatementUnreadable, match="row 3"):
        encodings.decoded(whole + (b"\x00\xd8" if encoding == "utf-16" else b"\xff\xff\xff"))


def test_a_stray_nul_makes_no_utf_16_of_a_text():
    [line] = layouts.read(f"{HEAD}2026-10-05,5.00,A\0B,x\u202ey\x85z,\n".encode(), PLAIN)
    assert (line.fen, line.reference) == (500, "A B")
    assert not {"\0", "\u202e", "\x85"} & set(line.reference + line.summary)


def test_a_word_of_marks_alone_ends_or_passes_only_what_begins_with_it():
    text = f"{HEAD}2026-10-05,5.00,A,x,\n（元）,1,,,\n#合计,5.00,,,\n#end,,,,\nx,y,,,\n"
    odd = replace(PLAIN, footer_words=["（元）", "合计"], end_words=["#e", "***"])
    found = layouts.tried(text.encode(), odd)
    assert ([each.fen for each in found.lines], list(found.passed_over), found.faults) == ([500], [3, 4, 5, 6], [])  # fmt: skip
    everything = layouts.tried(text.encode(), replace(odd, end_words=["#"]))
    assert ([each.fen for each in everything.lines], list(everything.passed_over)) == ([500], [3, 4, 5, 6])
    named = replace(PLAIN, columns={**PLAIN.columns, "currency": ["（元）"]})
    assert layouts.tried(b"date,amount,\n2026-10-05,5.00,XYZ\n", named).faults == []


# --- MT940 --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("amount", ["5,000", "1.234", "1,234,56", "1234567890123456,00", "5,005"])
def test_an_amount_with_more_than_two_decimals_is_not_read_as_its_beginning(amount):
    with pytest.raises(StatementUnreadable) as refusal:
        mt940.read(message(f":61:2609010901C{amount}NTRFA"))
    assert columns_of(refusal) == [(5, ":61:", "not_readable")]


def test_a_balance_that_stands_twice_is_not_chosen_from():
    for twice in (":60F:C260831CNY11,00", ":62F:C260930CNY16,00"):
        with pytest.raises(StatementUnreadable) as refusal:
            mt940.read(message(LINE, end="\n") + f"{twice}\n" if "62F" in twice else message(twice, LINE))
        assert [code for _, _, code in columns_of(refusal)] == ["ambiguous"]


@pytest.mark.parametrize("text", [":12:30 Monday", "{brace}", "- first", ":note: x", "{a}{b}"])
def test_text_that_looks_like_a_field_stays_in_its_line(text):
    [statement] = mt940.read(message(LINE, ":86:goods", text, "last"))
    assert [each.summary for each in statement.lines] == [f"goods {text} last"]


@pytest.mark.parametrize(("line", "reference"), [
    ("C5,00NTRFKH1", "KH1"), ("C5,00N051NONREF//9", "9"), ("C5,00S103KH1", "KH1"), ("C5,00FMSCKH1", "KH1"), ("C5,00KH1234", "KH1234"), ("C5,00ntrfKH1", "KH1"),
    ("C,50NTRFKH1", "KH1"), ("CR5,00NTRFKH1", "KH1"), ("C5,00", ""),
])  # fmt: skip
def test_a_reference_is_not_cut_by_a_type_that_is_not_there(line, reference):
    [found] = mt940.read(message(f":61:2609010901{line}"))[0].lines
    assert found.reference == reference


def test_the_end_of_a_message_may_stand_behind_its_last_field():
    texts = [message(LINE, end="-}"), message(LINE, end=""), "\x01{1:F01}{2:I940}{4:\r\n" + message(LINE, end="\n-}$\n")]  # fmt: skip
    assert {mt940.read(each)[0].closing_fen for each in texts} == {1_500}


def test_rmb_is_cny_and_an_account_may_have_its_bank_before_and_its_currency_behind():
    [statement] = mt940.read(message(LINE, opening="C260831RMB10,00"))
    assert statement.opening_fen == 1_000
    assert rules.number_keys("BKCHCNBJ/6222 0202CNY") == ["BKCHCNBJ62220202CNY", "BKCHCNBJ62220202", "62220202CNY", "62220202"]  # fmt: skip
    assert rules.number_keys("CN001/CNY") == ["CN001CNY", "CN001"]


@pytest.mark.parametrize(("number", "other", "is_one"), [
    ("62220202", "62220202CNY", True), ("62220202", "BKCHCNBJ/62220202", True), ("62220202CNY", "BKCHCNBJ/62220202", True),
    ("62220202RMB", "6222 0202-CNY", True), ("BKCHCNBJ／62220202", "bkchcnbj/62220202 rmb", True), ("６２２２０２０２ＣＮＹ", "62220202", True),
    ("BKCHCNBJ/62220202", "ICBKCNBJ/62220202", False), ("62220202", "62220203", False), ("62220202CNY", "62220202USD", False),
    ("62220202", "62220202USD", False), ("162220202", "62220202", False), ("62220202CNY", "62220203CNY", False),
])  # fmt: skip
def test_a_bank_or_a_currency_that_only_one_number_names_makes_no_second_account(number, other, is_one):
    assert rules.is_one(number, other) is is_one
    assert rules.is_one(other, number) is is_one


# --- camt.053 -----------------------------------------------------------------------------------------


def balance(kind, yuan, day, more=""):
    return f'<Bal><Tp><CdOrPrtry><Cd>{kind}</Cd></CdOrPrtry>{more}</Tp><Amt Ccy="CNY">{yuan}</Amt><CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>{day}</Dt></Dt></Bal>'


ENTRY = '<Ntry><Amt Ccy="CNY">5.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts><BookgDt><Dt>2026-09-10</Dt></BookgDt><AddtlNtryInf>十月货款</AddtlNtryInf></Ntry>'


def document(entry=ENTRY, *, encoding="UTF-8", currency="CNY", opening=None, closing=None):
    opening = opening or balance("OPBD", "10.00", "2026-08-31")
    closing = closing or balance("CLBD", "15.00", "2026-09-30")
    return (
        f'<?xml version="1.0" encoding="{encoding}"?>\n<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt><Stmt><Id>S</Id>'
        f"<Acct><Id><IBAN>CN1</IBAN></Id><Ccy>{currency}</Ccy></Acct>{opening}{closing}{entry}</Stmt></BkToCstmrStmt></Document>"
    )


@pytest.mark.parametrize(("declared", "used"), [
    ("GB18030", "gb18030"), ("GBK", "gbk"), ("gb2312", "gb2312"), ("UTF-8", "utf-8-sig"), ("UTF-16", "utf-16"), ("UTF-8", "gbk"), ("GBK", "utf-8"),
])  # fmt: skip
def test_xml_is_read_in_the_encoding_it_has_whatever_it_declares(declared, used):
    [statement] = camt.read(document(encoding=declared).encode(used))
    assert [each.summary for each in statement.lines] == ["十月货款"]


def test_an_envelope_around_the_document_is_passed_over():
    inner = document().partition("\n")[2]
    for envelope in (
        '<Message xmlns="urn:x"><AppHdr/>{}</Message>',
        '<e:BizMsgEnvlp xmlns:e="urn:y"><e:Doc>{}</e:Doc></e:BizMsgEnvlp>',
    ):
        assert camt.read(envelope.format(inner).encode())[0].closing_fen == 1_500


@pytest.mark.parametrize("day", ["<Dt>2026-09-10+08:00</Dt>", "<Dt>2026-09-10Z</Dt>", "<DtTm>2026-09-10T24:00:00</DtTm>", "<DtTm>2026-09-10T23:59:60</DtTm>", "<DtTm>2026-09-10T01:02:03.123456789+08:00</DtTm>"])  # fmt: skip
def test_a_day_of_xml_schema_may_have_an_offset(day):
    [statement] = camt.read(document(ENTRY.replace("<Dt>2026-09-10</Dt>", day)).encode())
    assert [each.booked_on for each in statement.lines] == [date(2026, 9, 10)]


@pytest.mark.parametrize("day", ["<Dt>20260910</Dt>", "<Dt>2026-W37-4</Dt>", "<DtTm>2026-09-10T25:00:00</DtTm>", "<DtTm>0001-01-01T00:00:00+14:00</DtTm>"])  # fmt: skip
def test_a_day_of_another_form_is_refused(day):
    with pytest.raises(StatementUnreadable) as refusal:
        camt.read(document(ENTRY.replace("<Dt>2026-09-10</Dt>", day)).encode())
    assert columns_of(refusal) == [(1, "Ntry BookgDt", "not_readable")]


def test_an_account_of_another_currency_and_a_balance_that_stands_twice_are_refused():
    twice = balance("CLBD", "14.00", "2026-09-29") + balance("CLBD", "15.00", "2026-09-30")
    for odd, told in (
        ({"currency": "USD"}, (1, "Acct Ccy", "other_currency")),
        ({"closing": twice}, (1, "Bal CLBD", "ambiguous")),
    ):
        with pytest.raises(StatementUnreadable) as refusal:
            camt.read(document(**odd).encode())
        assert columns_of(refusal) == [told]


def test_a_balance_may_say_that_it_is_of_a_page():
    page = "<SubTp><Cd>INTM</Cd></SubTp>"
    [statement] = camt.read(document(closing=balance("CLBD", "15.00", "2026-09-30", page)).encode())
    assert (statement.continues, statement.goes_on) == (False, True)


@pytest.mark.parametrize(("details", "reference", "summary"), [
    ("<AddtlTxInf>KH1 goods</AddtlTxInf>", "", "KH1 goods"),
    ("<RmtInf><Strd><RfrdDocInf><Nb>INV-7</Nb></RfrdDocInf></Strd></RmtInf>", "INV-7", "十月货款"),
])  # fmt: skip
def test_what_a_payment_refers_to_is_kept_wherever_it_stands(details, reference, summary):
    entry = ENTRY.replace("<AddtlNtryInf>", f"<NtryDtls><TxDtls>{details}</TxDtls></NtryDtls><AddtlNtryInf>")
    [line] = camt.read(document(entry).encode())[0].lines
    assert (line.reference, line.summary) == (reference, summary)


# --- workbooks ----------------------------------------------------------------------------------------


def workbook(sheets_of_rows):
    into = io.BytesIO()
    book = xlsxwriter.Workbook(into, {"in_memory": True})
    for rows in sheets_of_rows:
        sheet = book.add_worksheet()
        for no, cells in rows:
            sheet.write_row(no, 0, cells)
    book.close()
    return into.getvalue()


def changed(content, part, change):
    into = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, change(old.read(name)) if name == part else old.read(name))
    return into.getvalue()


ORDINARY = workbook([[(0, ["date", "amount"]), (1, ["2026-10-05", 5])]])


def test_rows_that_are_only_numbered_cost_nothing():
    """A row may bear any number, and the library makes up all rows before it."""
    begun = time.process_time()
    far = workbook([[(0, ["date", "amount"]), (sheets.ROWS_PASSED_MAX - 1, ["2026-10-05", 5])]])
    assert [each.fen for each in layouts.read(far, PLAIN)] == [500]
    huge = changed(ORDINARY, "xl/worksheets/sheet1.xml", lambda xml: xml.replace(b'<row r="2"', b'<row r="99999999999"'))  # fmt: skip
    many = workbook([[(0, ["x"]), (sheets.ROWS_PASSED_MAX // 2, ["x"])]] * 3)
    for each in (huge, many):
        with pytest.raises(StatementUnreadable, match="empty ones"):
            layouts.read(each, PLAIN)
    assert time.process_time() - begun < 30


def test_a_workbook_that_unpacks_to_many_times_its_size_is_not_read():
    text = b"<sst xmlns='http://schemas.openxmlformats.org/spreadsheetml/2006/main'>%s</sst>" % (b"<si><t>a</t></si>" * 500_000)  # fmt: skip
    with pytest.raises(StatementUnreadable, match="unpacks"):
        layouts.read(changed(ORDINARY, "xl/sharedStrings.xml", lambda _: text), PLAIN)


@pytest.mark.parametrize("value", [b"1e999", b"NaN", b"9" * 5_000, b"abc"])
def test_a_number_that_is_none_is_refused(value):
    odd = changed(ORDINARY, "xl/worksheets/sheet1.xml", lambda xml: xml.replace(b"<v>5</v>", b"<v>%s</v>" % value))  # fmt: skip
    with pytest.raises(StatementUnreadable):
        layouts.read(odd, PLAIN)


def test_a_workbook_in_the_strict_form_is_named():
    strict = lambda xml: xml.replace(b"http://schemas.openxmlformats.org/officeDocument/2006/relationships", b"http://purl.oclc.org/ooxml/officeDocument/relationships").replace(b"http://schemas.openxmlformats.org/spreadsheetml/2006/main", b"http://purl.oclc.org/ooxml/spreadsheetml/main")  # noqa: E731  # fmt: skip
    with pytest.raises(StatementUnreadable, match=r"ordinary XLSX|damaged"):
        layouts.read(changed(ORDINARY, "xl/workbook.xml", strict), PLAIN)
