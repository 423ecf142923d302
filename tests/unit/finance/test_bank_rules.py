"""Statements read, lines recognised, matches proposed, sides reconciled."""

from datetime import date, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finance.bank_files.rules import camt, dialects, formats, layouts, mt940, sheets
from finance.bank_files.rules.clearing import recognise
from finance.bank_files.rules.encodings import decoded
from finance.bank_matching import rules
from finance.bank_matching.rules import Batch, Item, Line, MatchKind
from finance.bank_matching.rules.reconciling import reconcile
from finance.kernel.chart import Standard, chart_of

DAY = date(2026, 3, 10)
CHART = chart_of(Standard.CAS)
MT940 = """:20:EXAMPLE-001
:25:CN0012345
:28C:3/1
:60F:C260228CNY100000,00
:61:2603010301C3876,60NTRFNONREF//BANK-001
:86:财付通支付科技有限公司 结算款
:61:2603020302D12,50NCHGFEE//BANK-002
:86:账户管理费
:61:2603020302RC1,00NTRFNONREF//BANK-003
:62F:C260331CNY103863,10
-
"""


def one(content):
    [statement] = mt940.read(decoded(content))
    return statement


def a_line(fen, **odd):
    return Line(**{"booked_on": DAY, "fen": fen, "reference": "", "summary": "", "clearing": None, **odd})


def an_item(fen, *, day=DAY, reference=None, no=1, kind=MatchKind.TRANSIT):
    return Item(kind=kind, source_id=UUID(int=no), entry_kind="cash_bank_drop", branch_id="S001", booked_on=day, fen=fen, reference=reference)  # fmt: skip


def a_batch(fen, days_before=1, branch="S001"):
    return Batch(clearing="wechat", branch_id=branch, day=DAY - timedelta(days=days_before), fen=fen)


@pytest.mark.requirement("F3")
def test_mt940_becomes_lines_in_fen_with_balances_days_and_who_settles():
    read = one(MT940.encode("gb18030"))
    assert (read.account, read.number) == ("CN0012345", "2026-3/1")
    assert (read.from_on, read.to_on) == (date(2026, 3, 1), date(2026, 3, 31))
    assert (read.opening_fen, read.closing_fen) == (10_000_000, 10_386_310)
    assert [(each.fen, each.reference, each.clearing) for each in read.lines] == [
        (387_660, "BANK-001", "wechat"),
        (-1_250, "FEE BANK-002", None),
        (-100, "BANK-003", None),
    ]


def test_mt940_messages_of_one_file_are_joined_when_they_follow_one_another():
    second = ":20:B\n:25:CN0012345\n:28C:4/1\n:60F:C260331CNY103863,10\n:62F:C260430CNY103863,10\n-\n"
    read = one((MT940 + second).encode())
    assert (read.closing_fen, read.to_on, len(read.lines)) == (10_386_310, date(2026, 4, 30), 3)
    with pytest.raises(formats.StatementUnreadable):
        one((MT940 + second.replace("103863,10", "1,00")).encode())


@pytest.mark.parametrize("content", [b"", b"x", b"\xff\xfe", b"/etc/passwd", MT940.replace("CNY", "EUR").encode(), MT940.replace(":62F:", ":99:").encode(), MT940.replace("C3876,60", "C3876").encode()[:80]])  # fmt: skip
def test_what_is_not_mt940_in_yuan_is_refused(content):
    with pytest.raises(formats.StatementUnreadable):
        one(content)


@given(st.binary(max_size=300) | st.text(max_size=300).map(lambda text: (":20:A\n:61:" + text).encode("utf-8", "replace")))  # fmt: skip
def test_no_file_breaks_the_readers(content):
    for read in (
        lambda: one(content),
        lambda: camt.read(content),
        lambda: layouts.read(content, dialects.layout_of(dialects.delivered()["plain"])),
        lambda: layouts.read(content, dialects.layout_of(dialects.delivered()["cn_two_columns"])),
        lambda: list(sheets.tables(b"PK\x03\x04" + content)),
    ):
        try:
            read()
        except formats.StatementUnreadable:
            continue


@pytest.mark.requirement("F3")
def test_a_csv_is_read_by_the_dialect_of_its_bank():
    text = '交易日期,借方发生额,贷方发生额,交易流水号,摘要,对方户名\n20260302,,"3,876.60",A1,结算,财付通支付\n20260303,12.5,,A2,手续费,\n'
    lines = layouts.read(text.encode("gb18030"), dialects.layout_of(dialects.delivered()["cn_two_columns"]))
    assert [(each.booked_on.day, each.fen, each.reference, each.clearing) for each in lines] == [
        (2, 387_660, "A1", "wechat"),
        (3, -1_250, "A2", None),
    ]
    assert "财付通" not in repr(lines)


@pytest.mark.parametrize("row", ["2026-13-01,1.00,,,", "2026-03-01,1.005,,,", "2026-03-01,,,,", "2026-03-01,1e3,,,", "2026-03-01", '2026-03-01,"1.00,,,'])  # fmt: skip
def test_a_row_that_does_not_fit_is_refused(row):
    with pytest.raises(formats.StatementUnreadable):
        layouts.read(
            f"date,amount,reference,summary,counterparty\n{row}\n".encode(),
            dialects.layout_of(dialects.delivered()["plain"]),
        )


@given(st.lists(st.sampled_from(["a", "b"]), max_size=8))
def test_equal_lines_of_a_day_are_told_apart_and_named_the_same_in_every_export(references):
    lines = [formats.StatementLine(booked_on=DAY, fen=5, reference=each, summary="", clearing=None) for each in references]  # fmt: skip
    found = formats.hashes(lines)
    assert len(set(found)) == len(lines)
    assert found[: len(lines) // 2] == formats.hashes(lines[: len(lines) // 2])


def test_reference_comes_before_date_and_far_or_other_amounts_are_not_proposed():
    items = [
        an_item(500, no=1),
        an_item(500, no=2, reference="BAG-7", day=DAY - timedelta(days=30)),
        an_item(500, no=3, day=DAY - timedelta(days=30)),
        an_item(501, no=4, reference="BAG-7"),
    ]
    found = rules.propose(a_line(500, summary="现金存入 BAG-7"), items, [])
    assert [(each.rule, each.items[0].source_id.int) for each in found] == [("reference", 2), ("date", 1)]


@pytest.mark.requirement("F3")
def test_a_settlement_line_is_proposed_the_days_that_make_it_less_the_fee():
    batches = [a_batch(60_000, 1), a_batch(40_000, 1, "S002"), a_batch(50_000, 2), a_batch(70_000, 3)]
    found = rules.propose(a_line(99_400, clearing="wechat"), [], batches)
    assert [(each.fee_fen, len(each.batches)) for each in found] == [(600, 2)]
    weekend = rules.propose(a_line(218_680, clearing="wechat"), [], batches)
    assert [(each.fee_fen, len(each.batches)) for each in weekend] == [(1_320, 4)]
    assert rules.propose(a_line(90_000, clearing="wechat"), [], batches) == []
    assert rules.propose(a_line(99_400), [], batches) == []


def test_medical_insurance_keeps_no_fee():
    batch = Batch(clearing="medical_insurance", branch_id="S001", day=DAY, fen=1000)
    assert rules.propose(a_line(999, clearing="medical_insurance"), [], [batch]) == []
    assert rules.propose(a_line(1000, clearing="medical_insurance"), [], [batch])[0].fee_fen == 0


@given(st.dictionaries(st.sampled_from(["S1", "S2", "S3"]), st.integers(-(10**9), 10**9), min_size=1), st.integers(0, 10**6))  # fmt: skip
def test_a_settlement_posts_exactly_the_line_however_the_fee_is_shared(gross, fee):
    if not any(gross.values()):
        fee = 0
    shares = rules.share_fee(fee, gross)
    assert sum(shares.values()) == fee
    lines = [line for each in gross for line in rules.settlement_postings(CHART, "wechat", gross[each], shares[each])]  # fmt: skip
    assert sum(line.debit_fen - line.credit_fen for line in lines if line.account == "1002") == sum(gross.values()) - fee  # fmt: skip
    assert sum(line.debit_fen - line.credit_fen for line in lines if line.account == "6603") == fee


def test_what_only_the_bank_knew_goes_one_way_only():
    assert rules.direct_postings(CHART, "bank_fee", -1250, DAY)
    for reason, fen in (("bank_fee", 1), ("interest", -1), ("what", 1)):
        with pytest.raises(rules.BankReasonUnknown):
            rules.direct_postings(CHART, reason, fen, DAY)
    for standard in Standard:
        for reason in rules.reasons():
            for fen in (1, -1):
                try:
                    rules.direct_postings(chart_of(standard), reason, fen, DAY)
                except rules.BankReasonUnknown:
                    continue


@given(st.lists(st.integers(-(10**9), 10**9)), st.lists(st.integers(-(10**9), 10**9)), st.lists(st.integers(-(10**9), 10**9)))  # fmt: skip
@pytest.mark.requirement("F3", "F16")
def test_book_and_bank_meet_when_each_is_adjusted_by_what_only_the_other_knows(both, bank, book):
    result = reconcile(
        book_fen=sum(both) + sum(book),
        statement_fen=sum(both) + sum(bank),
        bank_only=[{"fen": each} for each in bank if each],
        book_only=[{"fen": each} for each in book if each],
    )
    assert result["difference_fen"] == 0
    assert result["adjusted_book_fen"] == sum(both) + sum(book) + sum(bank)


# --- channels' ids ---------------------------------------------------------------------------------------


def a_payment(fen, name, branch="S001", days_before=1):
    return Batch(
        clearing="wechat",
        branch_id=branch,
        day=DAY - timedelta(days=days_before),
        fen=fen,
        channel_transaction_id=name,
    )


@pytest.mark.requirement("F3")
def test_of_two_payments_of_one_amount_on_one_day_the_line_means_the_one_whose_id_it_names():
    batches = [a_batch(20_000), a_batch(10_000, branch="S002")]
    payments = [
        a_payment(10_000, "4200001"),
        a_payment(10_000, "4200002"),
        a_payment(10_000, "4200003", "S002"),
    ]
    for named in payments:
        line = a_line(9_940, clearing="wechat", summary=f"财付通{named.channel_transaction_id}结算")
        first, *others = rules.propose(line, [], batches, payments)
        assert (first.rule, first.batches, first.fee_fen) == ("channel", [named], 60)
        assert all(each.rule != "channel" for each in others)


def test_a_line_may_name_several_payments_and_part_of_an_id_is_none():
    payments = [a_payment(10_000, "4200001"), a_payment(5_000, "4200002")]
    batches = [a_batch(15_000)]
    both = a_line(15_000, clearing="wechat", summary="4200001;4200002")
    assert rules.propose(both, [], batches, payments)[0].batches == payments
    for told in ("42000010", "x4200001", "420000"):
        odd = a_line(10_000, clearing="wechat", summary=told)
        assert [each.rule for each in rules.propose(odd, [], batches, payments)] == []


def test_a_payment_of_a_day_that_is_settled_whole_is_not_proposed():
    line = a_line(10_000, clearing="wechat", summary="4200001")
    assert rules.propose(line, [], [a_batch(9_999)], [a_payment(10_000, "4200001")]) == []


def test_the_parts_of_medical_insurance_are_told_apart_by_the_words_of_a_line():
    for told, clearing in (
        ("医保中心结算款", "medical_insurance"),
        ("医保统筹基金拨付", "medical_insurance_pooled"),
        ("医保个人账户清算", "medical_insurance_personal"),
    ):
        assert recognise(told, DAY) == clearing
