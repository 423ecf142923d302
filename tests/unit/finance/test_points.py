"""Points as money: which redemption pays which receipt, what is booked, and what a refund gives back."""

from datetime import UTC, date, datetime
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finance.kernel.chart import Standard, chart_of
from finance.kernel.posting import balanced, sale
from finance.kernel.receipt import Receipt, payment_of
from finance.points import rules
from finance.points.rules import Consumed, Redemption
from finance.sales.rules.pricing import (
    PointsForMedicine,
    PointsNeedCustomer,
    RedemptionMisplaced,
    RedemptionMissing,
    content_hash,
    never_for,
    price,
)
from shared.errors import DomainError
from tests.support.finance_builders import CUSTOMER, a_line, a_receipt, money

NOW = datetime(2026, 3, 20, tzinfo=UTC)
BEGIN = date(2010, 1, 1)
REDEMPTION = UUID("0199b1c0-0000-7000-8000-00000000000a")
GOODS = a_line(product={"category": "device"})
LOTS = [Consumed(UUID(int=1), 1000, 1), Consumed(UUID(int=2), 2900, 1)]


def a_redemption(**odd):
    told = {
        "redemption_id": REDEMPTION,
        "customer_id": UUID(CUSTOMER),
        "branch_id": "S001",
        "receipt_number": "R-1",
        "points": 3900,
        "value_fen": 3900,
        "restored_cause": None,
        "used_by": None,
        "lots": LOTS,
    }
    return Redemption(**told | odd)


def by_points(fen=3900, redemption_id=str(REDEMPTION)):
    return {"tender": "points", "amount": money(fen), "redemption_id": redemption_id}


def receipt(**odd):
    sent = {"customer_id": CUSTOMER, "lines": [GOODS], "tenders": [by_points()], **odd}
    return msgspec.convert(a_receipt("R-1", **sent), Receipt)


def usable(redemption, *, is_caught_up=True, **odd):
    paid = receipt(**odd)
    return rules.require_usable(redemption, paid, payment_of(paid), is_caught_up=is_caught_up)


@pytest.mark.requirement("C38", "F1")
def test_a_redemption_pays_the_receipt_it_was_made_for():
    assert usable(a_redemption()) == 3900
    dearer = [Consumed(UUID(int=1), 1000, 2), Consumed(UUID(int=2), 2900, 0)]
    assert usable(a_redemption(lots=dearer)) == 2000


@pytest.mark.requirement("C38")
@pytest.mark.parametrize(
    ("odd", "code"),
    [
        ({"customer_id": UUID(int=5)}, "redemption_of_another_receipt"),
        ({"branch_id": "S002"}, "redemption_of_another_receipt"),
        ({"receipt_number": "R-2"}, "redemption_of_another_receipt"),
        ({"used_by": UUID(int=9)}, "redemption_used"),
        ({"restored_cause": "not_used"}, "redemption_restored"),
        ({"value_fen": 3899}, "redemption_amount_differs"),
        ({"lots": [Consumed(UUID(int=1), 3900, None)]}, "redemption_not_yet_known"),
    ],
)
def test_and_no_other(odd, code):
    with pytest.raises(DomainError) as refused:
        usable(a_redemption(**odd))
    assert refused.value.code == code


def test_of_one_nobody_told_us_we_wait_until_all_is_told():
    with pytest.raises(rules.RedemptionNotYetKnown):
        usable(None, is_caught_up=False)
    with pytest.raises(rules.RedemptionUnknown):
        usable(None)


@pytest.mark.requirement("C38")
@pytest.mark.parametrize(
    ("odd", "refusal"),
    [
        ({"tenders": [{"tender": "points", "amount": money(3900)}]}, RedemptionMissing),
        ({"tenders": [by_points() | {"tender": "cash"}]}, RedemptionMisplaced),
        ({"customer_id": None}, PointsNeedCustomer),
    ],
)
def test_points_and_their_redemption_go_together_and_need_a_customer(odd, refusal):
    with pytest.raises(refusal):
        price(receipt(**odd), now=NOW, begins_on=BEGIN)


@pytest.mark.requirement("C38")
@pytest.mark.parametrize("category", ["rx", "prescription", "otc", "otc_a"])
def test_medicine_that_is_never_a_gift_is_not_paid_with_points(category):
    lines = [GOODS, a_line(product={"category": category})]
    odd = {"lines": lines, "tenders": [by_points(), {"tender": "cash", "amount": money(3900)}]}
    with pytest.raises(PointsForMedicine) as refused:
        price(receipt(**odd), now=NOW, begins_on=BEGIN)
    assert refused.value.context["errors"][0]["path"] == "lines.1.product.category"
    odd["tenders"][0] = {"tender": "wechat", "amount": money(3900)}
    assert price(receipt(**odd), now=NOW, begins_on=BEGIN).total_fen == 7800
    assert never_for(date(2000, 1, 1)) == frozenset()


def test_a_receipt_without_points_is_the_receipt_it_was_before_there_were_any():
    ordinary = msgspec.convert(a_receipt("R-1"), Receipt)
    assert b"redemption" not in msgspec.json.encode(ordinary)
    assert content_hash(receipt()) != content_hash(
        receipt(tenders=[by_points(redemption_id=str(UUID(int=3)))])
    )


@pytest.mark.requirement("F1", "F15")
@given(
    standard=st.sampled_from(Standard),
    value=st.integers(1, 10**6),
    liability=st.integers(0, 10**6),
    cash=st.integers(0, 10**6),
    tax=st.integers(0, 10**4),
)
def test_a_sale_that_points_pay_balances_whatever_they_were_worth(standard, value, liability, cash, tax):
    chart = chart_of(standard)
    liability = liability if standard is Standard.CAS else 0
    lines = rules.used(chart, value, liability)
    total = value + cash
    tax = min(tax, total)
    entry = sale(
        chart, [("cash", cash)] if cash else [], net_fen=total - tax, tax_fen=tax, cost_fen=5, points=lines
    )
    moved = {
        account: sum(line.debit_fen - line.credit_fen for line in entry if line.account == account)
        for account in {line.account for line in entry}
    }
    revenue = moved.get(chart.code("revenue"), 0)
    assert revenue == value - liability - (total - tax)
    if standard is Standard.CAS:
        assert moved.get(chart.code("contract_liability"), 0) == liability
    assert balanced(rules.paid_back(chart, value, liability))


@pytest.mark.requirement("F22")
@given(
    lots=st.lists(st.tuples(st.integers(1, 500), st.integers(0, 3)), min_size=1, max_size=5),
    worth=st.integers(1, 3),
    cuts=st.lists(st.integers(1, 10), max_size=5),
)
def test_refunds_in_any_pieces_give_back_every_point_once(lots, worth, cuts):
    consumed = [Consumed(UUID(int=at), each, fen) for at, (each, fen) in enumerate(lots)]
    value = sum(each for each, _ in lots) * worth
    refunded, given, liability, rest = 0, 0, 0, value
    for cut in [*cuts, 0]:
        part = rest // (cut + 1) if cut else rest
        back = rules.give_back(consumed, value, before_fen=refunded, refund_fen=part)
        assert 0 <= back.points <= part // worth + 1
        refunded, rest = refunded + part, rest - part
        given, liability = given + back.points, liability + back.liability_fen
        assert sum(back.lots) == given
        untouched = [at for at, each in enumerate(back.lots) if not each]
        assert untouched == list(range(len(untouched)))
    assert given == sum(each for each, _ in lots)
    assert liability == sum(each * fen for each, fen in lots)
    assert list(back.lots) == [each for each, _ in lots]


@given(pieces=st.lists(st.integers(0, 50), min_size=1, max_size=6), spare=st.integers(0, 50), data=st.data())
def test_the_order_of_refunds_changes_nothing_in_the_end(pieces, spare, data):
    value = sum(pieces) + spare or 1
    ends = set()
    for order in (pieces, data.draw(st.permutations(pieces))):
        refunded, given = 0, 0
        for part in order:
            back = rules.give_back(
                [Consumed(UUID(int=1), 7, 1), Consumed(UUID(int=2), 5, 2)],
                value,
                before_fen=refunded,
                refund_fen=part,
            )
            refunded, given = refunded + part, given + back.points
        ends.add((given, tuple(back.lots)))
    assert len(ends) == 1
