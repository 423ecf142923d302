"""One logical bank statement, written as each of the files that a bank might send."""

import io
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

import xlsxwriter
from hypothesis import strategies as st

FIRST, LAST = date(2025, 11, 1), date(2026, 2, 28)
DAYS = (LAST - FIRST).days
REFERENCES = st.text("ABCDEFGHJK0123456789", min_size=1, max_size=14)
WORDS = st.lists(st.sampled_from(["goods", "货款", "十月", "rent", "退款", "fee"]), max_size=3).map(" ".join)


@dataclass(frozen=True)
class Booked:
    day: date
    valued_on: date
    fen: int
    reference: str
    summary: str


@dataclass(frozen=True)
class Logical:
    """Lines in the order of the bank; the days are from FIRST to LAST."""

    opening_fen: int
    lines: tuple[Booked, ...]

    @property
    def closing_fen(self):
        return self.opening_fen + sum(each.fen for each in self.lines)

    def balance(self, day):
        return self.opening_fen + sum(each.fen for each in self.lines if each.day <= day)


@st.composite
def statements(draw, lines_max=12):
    amounts = st.integers(-(10**11), 10**11) | st.integers(-200, 200) | st.just(0)
    lines = []
    for no in range(draw(st.integers(0, lines_max))):
        day = FIRST + timedelta(days=draw(st.integers(0, DAYS)))
        valued = day + timedelta(days=draw(st.integers(-40, 40)))
        reference = f"{no}Z{draw(REFERENCES)}"[:16]
        lines.append(Booked(day, valued, draw(amounts), reference, draw(WORDS)))
    return Logical(draw(amounts), tuple(sorted(lines, key=lambda each: each.day)))


def written(logical, account="CN0012345"):
    """The file of each format; for the tables by the dialect of its name."""
    return {
        "mt940": mt940(logical, account, FIRST, LAST, logical.opening_fen, logical.lines),
        "camt053": camt(logical, account),
        **{name: table(logical, name) for name in ("plain", "cn_two_columns", "cn_direction")},
        "xlsx": workbook(logical),
    }


# --- MT940 ------------------------------------------------------------------------------------------


def mt940(logical, account, opened, closed, opening_fen, lines, number="1/1", kinds="FF"):
    closing_fen = opening_fen + sum(each.fen for each in lines)
    text = f":20:X\n:25:{account}\n:28C:{number}\n:60{kinds[0]}:{_balance(opened, opening_fen)}\n"
    for each in lines:
        # C and D as they are, RD and RC for the same as reversals
        marks = ("C", "RD") if each.fen >= 0 else ("D", "RC")
        mark = marks[len(each.reference) % 2]
        text += (
            f":61:{each.valued_on:%y%m%d}{each.day:%m%d}{mark}{_comma(abs(each.fen))}NTRF{each.reference}\n"
        )
        if each.summary:
            text += f":86:/REMI/{each.summary}/NAME/SOMEBODY\n"
    return (text + f":62{kinds[1]}:{_balance(closed, closing_fen)}\n-\n").encode()


def _balance(day, fen):
    return f"{'D' if fen < 0 else 'C'}{day:%y%m%d}CNY{_comma(abs(fen))}"


def _comma(fen):
    """In the shortest form that MT940 knows: 1, and 0,5 and 1,05."""
    return f"{fen // 100},{fen % 100:02d}".rstrip("0")


def split(logical, account, data):
    """The statement as several files: pages of one statement, or statements that follow one another, also within a day."""
    places = sorted(data.draw(st.sets(st.integers(1, max(len(logical.lines) - 1, 1)), max_size=4)))
    cuts = [0, *(each for each in places if each < len(logical.lines)), len(logical.lines)]
    are_pages = data.draw(st.booleans())
    files, opening_fen, opened = [], logical.opening_fen, FIRST
    for no, (begin, end) in enumerate(pairwise(cuts), 1):
        lines = logical.lines[begin:end]
        is_last = end == len(logical.lines)
        closed = LAST if is_last else lines[-1].day
        kinds = ("M" if are_pages and no > 1 else "F") + ("M" if are_pages and not is_last else "F")
        number = f"1/{no}" if are_pages else "00000/001"
        files.append(mt940(logical, account, opened, closed, opening_fen, lines, number, kinds))
        opening_fen += sum(each.fen for each in lines)
        opened = closed
    return files


# --- camt.053 ---------------------------------------------------------------------------------------


def camt(logical, account):
    def balance(kind, day, fen):
        return (
            f"<Bal><Tp><CdOrPrtry><Cd>{kind}</Cd></CdOrPrtry></Tp>{_amount(fen)}<Dt><Dt>{day}</Dt></Dt></Bal>"
        )

    entries = "".join(
        f"<Ntry>{_amount(each.fen)}<Sts>BOOK</Sts><BookgDt><Dt>{each.day}</Dt></BookgDt><ValDt><Dt>{each.valued_on}</Dt></ValDt><NtryDtls><TxDtls>"
        f"<Refs><EndToEndId>{each.reference}</EndToEndId></Refs><RmtInf><Ustrd>{each.summary}</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>"
        for each in logical.lines
    )
    return (
        f'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt><Stmt><Id>1</Id><Acct><Id><IBAN>{account}</IBAN></Id></Acct>'
        f"{balance('OPBD', FIRST, logical.opening_fen)}{balance('CLBD', LAST, logical.closing_fen)}{entries}</Stmt></BkToCstmrStmt></Document>"
    ).encode()


def _amount(fen):
    return f'<Amt Ccy="CNY">{_point(abs(fen))}</Amt><CdtDbtInd>{"DBIT" if fen < 0 else "CRDT"}</CdtDbtInd>'


def _point(fen):
    return f"{fen // 100}.{fen % 100:02d}"


# --- tables -----------------------------------------------------------------------------------------


def table(logical, dialect):
    """Each dialect with another way of writing days and amounts, and in another encoding."""
    if dialect == "plain":
        rows = [
            f"{each.day},{_signed(each.fen)},{each.reference},{each.summary},,{each.valued_on}"
            for each in logical.lines
        ]
        return "\n".join(["date,amount,reference,summary,counterparty,value_date", *rows, ""]).encode(
            "utf-16"
        )
    if dialect == "cn_two_columns":
        rows = [
            f"{each.day:%Y/%m/%d},{_grouped(-each.fen) if each.fen < 0 else ''},{_grouped(each.fen) if each.fen >= 0 else '-'},{each.reference},"
            f"{each.summary},,{each.valued_on:%Y%m%d}"
            for each in logical.lines
        ]
        head = ["对账单,,,", "", "交易日期,借方发生额,贷方发生额,交易流水号,摘要,对方户名,起息日"]
        return "\n".join([*head, *rows, "合计,1.00,2.00,,,,", ""]).encode("gb18030")
    rows = [
        f"{each.day.year}年{each.day.month}月{each.day.day}日\t{'借' if each.fen < 0 else '贷'}\t¥{_point(abs(each.fen))}\t{each.reference}\t{each.summary}\t{each.valued_on}"
        for each in logical.lines
    ]
    return "\n".join(["交易日期\t借贷标志\t交易金额\t交易流水号\t摘要\t起息日", *rows, ""]).encode(
        "utf-8-sig"
    )


def _signed(fen):
    return ("-" if fen < 0 else "") + _point(abs(fen))


def _grouped(fen):
    return f'"{fen // 100:,}.{fen % 100:02d}"'


def workbook(logical):
    into = io.BytesIO()
    book = xlsxwriter.Workbook(into, {"in_memory": True})
    sheet = book.add_worksheet()
    days = book.add_format({"num_format": "yyyy-mm-dd"})
    sheet.write_row(0, 0, ["对账单"])
    sheet.write_row(1, 0, ["date", "amount", "reference", "summary", "value_date"])
    for no, each in enumerate(logical.lines, 2):
        sheet.write_datetime(no, 0, each.day, days)
        sheet.write_number(no, 1, each.fen / 100)
        sheet.write_string(no, 2, each.reference)
        sheet.write_string(no, 3, each.summary)
        sheet.write_datetime(no, 4, each.valued_on, days)
    book.close()
    return into.getvalue()
