"""Moving average as integers: quantity and value reach zero together, and nothing is lost on the way."""

from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finance.costs import rules
from finance.costs.rules import EMPTY, Day, Stock, replay
from finance.kernel.chart import Standard, chart_of

FIRST = date(2026, 3, 1)
quantities = st.integers(0, 10_000)
values = st.integers(0, 10**9)


@st.composite
def days(draw):
    """Days of a lot; goods come back only after they were sold."""
    out = 0
    made = []
    for offset in range(draw(st.integers(0, 12))):
        received = draw(quantities)
        sold = draw(quantities)
        returned = draw(st.integers(0, out))
        out += sold - returned
        made.append(
            (
                FIRST + timedelta(days=offset),
                Day(
                    received=received,
                    received_fen=draw(values) if received else 0,
                    returned=returned,
                    returned_cost_fen=draw(values) if returned else 0,
                    sold=sold,
                    sold_cost_fen=draw(values) if sold else 0,
                ),
            )
        )
    return made


@pytest.mark.requirement("F1", "F5")
@given(st.lists(st.tuples(st.integers(1, 10_000), values), min_size=1, max_size=10), st.data())
def test_the_last_unit_takes_the_rest(receipts, data):
    stock = EMPTY
    for quantity, value in receipts:
        stock = stock.receive(quantity, value)
    total = stock.value_fen
    taken = 0
    while stock.quantity:
        out = data.draw(st.integers(1, stock.quantity))
        value = stock.value_of(out)
        exact = Fraction(stock.value_fen * out, stock.quantity)
        assert abs(value - exact) <= Fraction(1, 2)
        before, stock = stock, stock.issue(out)
        taken += value
        assert stock.value_fen == before.value_fen - value >= 0
    assert stock == EMPTY
    assert taken == total


@pytest.mark.requirement("F1", "F5")
@given(days())
def test_a_replay_loses_no_unit_and_no_fen_and_never_goes_below_nothing(happened):
    result = replay(EMPTY, happened)
    received = sum(day.received for _, day in happened)
    value = sum(day.received_fen for _, day in happened)
    assert result.stock.quantity + result.quantity == received
    assert result.stock.value_fen + result.value_fen == value
    assert result.stock.quantity >= 0
    assert result.stock.value_fen >= 0
    assert result.stock.quantity > 0 or result.stock.value_fen == 0
    assert result.adjustment_fen == result.value_fen - result.booked_fen


@pytest.mark.requirement("F5")
@given(days(), st.randoms())
def test_the_order_in_which_days_are_read_does_not_matter(happened, random):
    shuffled = list(happened)
    random.shuffle(shuffled)
    assert replay(EMPTY, shuffled) == replay(EMPTY, happened)


@pytest.mark.requirement("F5")
@given(days(), st.integers(0, 12))
def test_two_months_cost_what_one_span_costs(happened, cut):
    """Cutting the days in two changes nothing, unless goods come back to a lot that was empty at the cut."""
    first, second = happened[:cut], happened[cut:]
    one = replay(EMPTY, first)
    if not one.stock.quantity:
        return
    two = replay(one.stock, second)
    whole = replay(EMPTY, happened)
    assert two.stock == whole.stock
    assert one.quantity + two.quantity == whole.quantity
    assert one.value_fen + two.value_fen == whole.value_fen
    assert one.booked_fen + two.booked_fen == whole.booked_fen


@pytest.mark.requirement("F5")
def test_goods_are_costed_at_the_average_of_the_day_they_went_out():
    happened = [
        (FIRST, Day(received=10, received_fen=1_000)),
        (FIRST + timedelta(days=1), Day(sold=5, sold_cost_fen=400)),
        (FIRST + timedelta(days=2), Day(received=5, received_fen=1_000)),
        (FIRST + timedelta(days=3), Day(sold=10, sold_cost_fen=1_400)),
    ]
    result = replay(EMPTY, happened)
    assert (result.value_fen, result.booked_fen, result.adjustment_fen) == (500 + 1_500, 1_800, 200)
    assert result.stock == EMPTY


@pytest.mark.requirement("F5")
def test_units_that_were_never_purchased_keep_the_cost_of_the_till():
    result = replay(Stock(4, 400), [(FIRST, Day(sold=10, sold_cost_fen=900))])
    assert (result.quantity, result.value_fen, result.booked_fen) == (4, 400, 360)


@pytest.mark.requirement("F5")
def test_goods_come_back_at_the_average_and_to_an_empty_lot_at_its_last():
    sold_out = [(FIRST, Day(received=4, received_fen=400, sold=4, sold_cost_fen=300))]
    back = [(FIRST + timedelta(days=1), Day(returned=1, returned_cost_fen=75))]
    result = replay(EMPTY, sold_out + back)
    assert result.stock == Stock(1, 100)
    assert (result.quantity, result.value_fen, result.booked_fen) == (3, 300, 225)


@pytest.mark.requirement("F5", "F17")
@pytest.mark.parametrize("standard", list(Standard))
def test_receipts_and_adjustments_balance_in_both_standards(standard):
    chart = chart_of(standard)
    receipt = {
        line.account: (line.debit_fen, line.credit_fen) for line in rules.receipt_posting(chart, 100, 13)
    }
    assert receipt == {"1405": (100, 0), "2221.01.02": (13, 0), "2202": (0, 113)}
    cost = chart.code("cost_of_goods")
    for fen, wanted in ((7, {cost: (7, 0), "1405": (0, 7)}), (-7, {cost: (0, 7), "1405": (7, 0)}), (0, {})):
        posted = rules.adjustment_posting(chart, fen)
        assert {line.account: (line.debit_fen, line.credit_fen) for line in posted} == wanted


@pytest.mark.requirement("F5")
def test_a_variance_is_dearer_above_zero_and_a_rate_of_nothing_is_none():
    assert rules.variance_fen(10, 110, 100) == 100
    assert rules.rate_bp(100, 1_000) == 1_000
    assert rules.rate_bp(100, 0) is None
