"""Money never loses a fen."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import Schema, ValidationError

from shared.money import MoneyField, NothingToSplit, allocate, half_up, tax_of

FEN = st.integers(-(10**13), 10**13)


@given(total=FEN, weights=st.lists(st.integers(0, 10**9), min_size=1, max_size=50).filter(any))
def test_shares_sum_to_the_total_and_are_within_one_fen_of_exact(total, weights):
    shares = allocate(total, weights)
    assert sum(shares) == total
    whole = sum(weights)
    for share, weight in zip(shares, weights, strict=True):
        assert abs(share * whole - total * weight) < whole


@given(total=FEN, weight=st.integers(1, 10**9))
def test_a_single_share_is_the_whole(total, weight):
    assert allocate(total, [weight]) == [total]


def test_nothing_can_be_split_by_weights_that_are_all_zero():
    with pytest.raises(NothingToSplit):
        allocate(100, [0, 0])


@given(numerator=FEN, denominator=st.integers(1, 10**6))
def test_half_up_is_the_nearest_integer_and_odd_in_the_sign(numerator, denominator):
    rounded = half_up(numerator, denominator)
    assert abs(2 * rounded * denominator - 2 * numerator) <= denominator
    assert half_up(-numerator, denominator) == -rounded


@pytest.mark.parametrize(
    ("net_fen", "rate_bp", "tax_fen"), [(100, 1300, 13), (50, 1300, 7), (3, 1300, 0), (-50, 1300, -7)]
)
def test_tax_is_rounded_half_up_at_the_line(net_fen, rate_bp, tax_fen):
    assert tax_of(net_fen, rate_bp) == tax_fen


class _Priced(Schema):
    price = MoneyField(minimum_fen=0, required=True)


@pytest.mark.parametrize(
    "price",
    [12.5, "12.50", {"fen": 12.5, "currency": "CNY"}, {"fen": 1, "currency": "USD"}, {"fen": True, "currency": "CNY"},
     {"fen": -1, "currency": "CNY"}, {"fen": 1}, {"fen": 10**16, "currency": "CNY"}, None, []],
)  # fmt: skip
def test_money_that_is_not_whole_fen_in_yuan_is_refused(price):
    with pytest.raises(ValidationError):
        _Priced().load({"price": price})


def test_money_travels_as_fen_and_currency():
    assert _Priced().load({"price": {"fen": 1250, "currency": "CNY"}}) == {"price": 1250}
    assert _Priced().dump({"price": 1250}) == {"price": {"fen": 1250, "currency": "CNY"}}
