"""Pricing a receipt: tax inside prices, tenders to the fen, and every rule it can break."""

from datetime import UTC, date, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finance.kernel.chart import Standard, chart_of
from finance.kernel.period import BeforeTheBooks
from finance.kernel.posting import PostingLine, Unbalanced, balanced, refund_due, refund_paid, sale
from finance.kernel.receipt import SALE_FEN_MAX, LotExpired, Receipt, Tender
from finance.kernel.vat import VatRateUnknown, rates_on, tax_inside
from finance.refund_amounts import split
from finance.sales.rules.pricing import (
    ChannelTransactionMisplaced,
    CreditNeedsCustomer,
    DiscountTooLarge,
    SaleTooLarge,
    SoldInFuture,
    TenderRepeated,
    TendersDiffer,
    content_hash,
    price,
)
from tests.support.finance_builders import a_line, a_receipt, money

NOW = datetime(2026, 3, 20, tzinfo=UTC)
BEGIN = date(2010, 1, 1)
MONEY = [each for each in Tender if each is not Tender.POINTS]


def priced(**odd):
    return price(msgspec.convert(a_receipt("R-1", **odd), Receipt), now=NOW, begins_on=BEGIN)


@pytest.mark.requirement("F1")
def test_tax_is_taken_out_of_the_price_line_by_line():
    done = priced(lines=[a_line(), a_line()])
    assert done.line_net_fen == [3451, 3451]
    assert done.line_tax_fen == [449, 449]
    assert (done.net_fen, done.tax_fen, done.total_fen, done.cost_fen) == (6902, 898, 7800, 4600)


@given(st.integers(0, 10**12), st.sampled_from([0, 100, 300, 600, 900, 1300, 1700]))
def test_tax_inside_is_half_up_and_never_changes_the_gross(gross, bp):
    tax = tax_inside(gross, bp)
    exact_2 = 2 * gross * bp
    assert abs(2 * tax * (10_000 + bp) - exact_2) <= 10_000 + bp
    assert 0 <= tax <= gross


@pytest.mark.requirement("F1", "F15")
@given(
    st.lists(
        st.tuples(st.integers(1, 50), st.integers(0, 10**6), st.sampled_from([0, 900, 1300]), st.integers(0, 10**6)),
        min_size=1,
        max_size=12,
    ),
    st.lists(st.sampled_from(MONEY), min_size=1, unique=True),
    st.data(),
)  # fmt: skip
def test_any_sale_balances_and_its_lines_make_its_totals(lines, tenders, data):
    gross = sum(quantity * unit for quantity, unit, _, _ in lines)
    cuts = sorted(
        data.draw(st.lists(st.integers(0, gross), min_size=len(tenders) - 1, max_size=len(tenders) - 1))
    )
    shares = [b - a for a, b in zip([0, *cuts], [*cuts, gross], strict=True)]
    receipt = a_receipt(
        customer_id="0199b1c0-0000-7000-8000-000000000001",
        lines=[
            a_line(quantity=q, unit_price=money(u), discount=money(0), tax_bp=bp, cost=money(cost))
            for q, u, bp, cost in lines
        ],
        tenders=[
            {"tender": tender.value, "amount": money(share)}
            for tender, share in zip(tenders, shares, strict=True)
            if share
        ],
    )
    done = price(msgspec.convert(receipt, Receipt), now=NOW, begins_on=BEGIN)
    assert done.net_fen + done.tax_fen == done.total_fen == gross
    assert sum(done.line_net_fen) == done.net_fen
    paid = [(each.tender.value, each.amount.fen) for each in done.receipt.tenders]
    for standard in Standard:
        entry = sale(
            chart_of(standard), paid, net_fen=done.net_fen, tax_fen=done.tax_fen, cost_fen=done.cost_fen
        )
        assert sum(line.debit_fen for line in entry) == sum(line.credit_fen for line in entry)
        assert sum(line.debit_fen for line in entry) == gross + done.cost_fen
        assert all((line.debit_fen == 0) != (line.credit_fen == 0) for line in entry)


@pytest.mark.requirement("F1")
@pytest.mark.parametrize(
    ("tender", "account"),
    [
        ("cash", "1001"),
        ("wechat", "1012.01"),
        ("alipay", "1012.02"),
        ("card", "1012.03"),
        ("medical_insurance", "1012.04"),
        ("credit", "1122"),
    ],
)
def test_each_tender_moves_its_own_account(tender, account):
    entry = sale(chart_of(Standard.CAS), [(tender, 113)], net_fen=100, tax_fen=13, cost_fen=60)
    assert [(line.account, line.debit_fen, line.credit_fen) for line in entry] == [
        (account, 113, 0),
        ("6001", 0, 100),
        ("2221.01.01", 0, 13),
        ("6401", 60, 0),
        ("1405", 0, 60),
    ]
    assert entry[0].is_receivable == (tender == "credit")


def test_the_small_standard_books_to_its_own_codes():
    entry = sale(chart_of(Standard.SMALL), [("cash", 113)], net_fen=100, tax_fen=13, cost_fen=60)
    assert [line.account for line in entry] == ["1001", "5001", "2221.01.01", "5401", "1405"]


def test_goods_that_are_not_restocked_wait_in_losses_pending():
    entry = refund_due(chart_of(Standard.CAS), [("restock", 100, 13, 60), ("destroy", 50, 6, 30)])
    assert {line.account: (line.debit_fen, line.credit_fen) for line in entry} == {
        "6001": (150, 0),
        "2221.01.01": (19, 0),
        "2241.01": (0, 169),
        "1405": (60, 0),
        "1901": (30, 0),
        "6401": (0, 90),
    }


def test_a_posting_rule_that_does_not_balance_is_a_bug_that_shows():
    with pytest.raises(Unbalanced):
        balanced([PostingLine("1001", 5, 0), PostingLine("6001", 0, 4)])
    with pytest.raises(Unbalanced):
        balanced([PostingLine("1001", 5, 5)])


@pytest.mark.requirement("F22")
@given(
    st.dictionaries(st.sampled_from(MONEY), st.integers(1, 10**6), min_size=1),
    st.lists(st.integers(1, 10**6), max_size=6),
)
def test_refunds_never_give_a_tender_more_than_it_took_and_all_of_it_in_the_end(paid, parts):
    refunded = dict.fromkeys(paid, 0)
    left = sum(paid.values())
    for wish in [*parts, left]:
        part = min(wish, left)
        given_back = split(part, paid, refunded)
        assert sum(given_back.values()) == part
        for tender, fen in given_back.items():
            refunded[tender] += fen
            assert fen > 0
            assert refunded[tender] <= paid[tender]
        left -= part
    assert refunded == paid
    assert split(0, paid, refunded) == {}
    entry = refund_paid(chart_of(Standard.CAS), paid.items())
    assert sum(line.debit_fen for line in entry) == sum(paid.values())


REFUSALS = [
    (TendersDiffer, {"tenders": [{"tender": "cash", "amount": money(3899)}]}, "tenders"),
    (TendersDiffer, {"tenders": []}, "tenders"),
    (
        TenderRepeated,
        {"tenders": [{"tender": "cash", "amount": money(1900)}, {"tender": "cash", "amount": money(2000)}]},
        "tenders.1.tender",
    ),
    *(
        (
            TenderRepeated,
            {"tenders": [{"tender": "card", "amount": money(fen), **told} for fen in (1900, 2000)]},
            "tenders.1.tender",
        )
        for told in ({}, {"channel_transaction_id": "A-1"})
    ),
    (
        ChannelTransactionMisplaced,
        {"tenders": [{"tender": "cash", "amount": money(3900), "channel_transaction_id": "A-1"}]},
        "tenders.0.channel_transaction_id",
    ),
    (DiscountTooLarge, {"lines": [a_line(discount=money(3981))], "tenders": []}, "lines.0.discount"),
    (VatRateUnknown, {"lines": [a_line(tax_bp=1700)]}, "lines.0.tax_bp"),
    (VatRateUnknown, {"sold_at": "2018-06-01T00:00:00Z"}, "lines.0.tax_bp"),
    (LotExpired, {"lines": [a_line(), a_line(expiry="2026-03-02")]}, "lines.1.expiry"),
    (CreditNeedsCustomer, {"tenders": [{"tender": "credit", "amount": money(3900)}]}, "customer_id"),
]


@pytest.mark.requirement("F15", "F24")
@pytest.mark.parametrize(("refusal", "odd", "path"), REFUSALS)
def test_a_receipt_that_breaks_a_rule_is_refused_and_told_where(refusal, odd, path):
    with pytest.raises(refusal) as refused:
        priced(**odd)
    assert path in [each["path"] for each in refused.value.context["errors"]]


def test_every_fault_is_told_at_once_and_what_is_never_right_comes_first():
    with pytest.raises(VatRateUnknown) as refused:
        priced(lines=[a_line(expiry="2020-01-01", tax_bp=1)], tenders=[])
    assert {each["path"] for each in refused.value.context["errors"]} == {
        "lines.0.expiry",
        "lines.0.tax_bp",
        "tenders",
    }


@pytest.mark.parametrize(
    ("sold_at", "refusal"),
    [
        ("2026-03-20T00:05:01Z", SoldInFuture),
        ("9999-12-31T23:59:59-12:00", SoldInFuture),
        ("0001-01-01T00:00:00+14:00", BeforeTheBooks),
        ("2009-12-31T15:59:59Z", BeforeTheBooks),
    ],
)
def test_a_moment_outside_the_books_is_refused(sold_at, refusal):
    with pytest.raises(refusal):
        priced(sold_at=sold_at)


def test_a_lot_may_be_sold_on_its_last_day_in_shanghai():
    assert priced(sold_at="2026-03-02T15:59:59Z", lines=[a_line(expiry="2026-03-02")]).business_date == date(
        2026, 3, 2
    )
    with pytest.raises(LotExpired):
        priced(sold_at="2026-03-02T16:00:00Z", lines=[a_line(expiry="2026-03-02")])


def test_the_same_moment_written_with_another_offset_is_the_same_receipt():
    here = priced(sold_at="2026-03-03T10:15:00+08:00").content_hash
    assert here == priced(sold_at="2026-03-03T02:15:00Z").content_hash
    assert here == priced(sold_at="2026-03-03T02:15:00Z", late=True).content_hash
    assert here != priced(sold_at="2026-03-03T02:15:01Z").content_hash


def test_a_receipt_that_an_older_release_took_is_known_again():
    """This is what it hashed when the id of a product was called `id`."""
    product = {"product_id": "P-1", "generic_name": "阿莫西林胶囊", "category": "otc", "temp_class": "normal"}
    line = {
        "product": product,
        "lot": "L1",
        "expiry": "2099-12-31",
        "quantity": 2,
        "unit_price": money(1_990),
    }
    receipt = {
        "receipt_number": "T-1",
        "branch_id": "S001",
        "channel": "store",
        "sold_at": "2026-03-05T02:15:00Z",
        "lines": [{**line, "tax_bp": 1_300, "cost": money(2_000)}],
        "tenders": [{"tender": "wechat", "amount": money(3_980)}],
    }
    known = "597f96a3ae3a44ae19aecd14307edde889199203f823c08276a15e3b11b51a1d"
    assert content_hash(msgspec.convert(receipt, Receipt)).hex() == known


def test_rates_are_those_of_the_day():
    assert 1700 in rates_on(date(2017, 7, 1))
    assert 1300 not in rates_on(date(2017, 7, 1))
    assert 1300 in rates_on(date(2019, 4, 1))
    assert 1600 not in rates_on(date(2019, 4, 1))


@pytest.mark.requirement("F1", "F15")
def test_no_receipt_says_so_much_that_sums_of_the_books_cannot_be_stored():
    """Fifty receipts with costs of 10¹⁵ fen a line once stopped the numbering of every entry for good."""
    dear = a_line(quantity=100, unit_price=money(10**10), discount=money(0), cost=money(SALE_FEN_MAX))
    free = {**dear, "unit_price": money(0), "cost": money(0)}
    sold = priced(lines=[dear])
    assert (sold.total_fen, sold.cost_fen) == (SALE_FEN_MAX, SALE_FEN_MAX)
    for more in ({"unit_price": money(1)}, {"cost": money(1)}):
        with pytest.raises(SaleTooLarge):
            priced(lines=[dear, free | more])
    assert 2**63 // (2 * SALE_FEN_MAX) > 4_000_000
