"""Lots of points: the first to expire are used first, pay debts first, and expire once."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customers.loyalty import rules
from customers.loyalty.rules import Lot, PointsInsufficient
from tests.support.points import DAY

NUMBERS = st.integers(0, 50)


def a_lot(sale_id="S", *, earned=100, expires_on=date(2027, 12, 31), **odd):
    odd = {"reversed_": 0, "redeemed": 0, "expired": 0} | odd
    return Lot(sale_id=sale_id, branch_id="B1", earned_on=DAY, expires_on=expires_on, earned=earned, **odd)


@st.composite
def some_lots(draw):
    lots = []
    for number in range(draw(st.integers(1, 6))):
        earned = draw(st.integers(1, 50))
        expired = draw(st.integers(0, earned))
        day = draw(st.sampled_from([None, DAY - timedelta(days=1), DAY, DAY + timedelta(days=1)]))
        odd = {"reversed_": draw(st.integers(0, earned)), "redeemed": draw(NUMBERS), "expired": expired}
        lots.append(a_lot(f"S{number}", earned=earned, expires_on=day, **odd))
    return lots


@pytest.mark.requirement("C38")
def test_the_first_to_expire_is_used_first():
    late, soon = a_lot("late"), a_lot("soon", expires_on=date(2026, 12, 31))
    taken = rules.consume([late, soon], 130, DAY)
    assert [(lot.sale_id, points) for lot, points in taken] == [("soon", 100), ("late", 30)]


@pytest.mark.requirement("C38")
def test_a_debt_blocks_what_it_is_worth():
    lots = [a_lot("owed", reversed_=100, redeemed=60), a_lot("new", earned=80)]
    assert rules.balance(lots) == 20 == rules.usable(lots, DAY)
    with pytest.raises(PointsInsufficient) as refused:
        rules.consume(lots, 21, DAY)
    assert refused.value.context["usable"] == 20
    assert rules.usable([a_lot(reversed_=100, redeemed=1)], DAY) == 0


@pytest.mark.requirement("C38")
def test_points_are_good_on_their_last_day_and_expire_after_it():
    lot = a_lot(expires_on=DAY, redeemed=40)
    assert (rules.usable([lot], DAY), rules.expiring([lot], DAY)) == (60, [])
    tomorrow = DAY + timedelta(days=1)
    assert (rules.usable([lot], tomorrow), rules.expiring([lot], tomorrow)) == (0, [(lot, 60)])


def test_what_pays_a_debt_does_not_expire():
    lots = [a_lot("owed", reversed_=100, redeemed=30), a_lot("past", earned=50, expires_on=DAY)]
    [(lot, points)] = rules.expiring(lots, DAY + timedelta(days=1))
    assert (lot.sale_id, points) == ("past", 20)


def test_of_what_has_expired_a_refund_takes_nothing_back():
    assert a_lot(expired=70, reversed_=100).taken_back == 30
    assert a_lot(expired=100, reversed_=100).left == 0


@given(lots=some_lots(), points=st.integers(1, 200))
def test_what_may_be_used_is_never_more_than_the_balance_and_can_all_be_used(lots, points):
    usable = rules.usable(lots, DAY)
    assert 0 <= usable <= max(0, rules.balance(lots))
    expiring = sum(part for _, part in rules.expiring(lots, DAY))
    assert usable + expiring == max(0, rules.balance(lots))
    if points > usable:
        with pytest.raises(PointsInsufficient):
            rules.consume(lots, points, DAY)
        return
    taken = rules.consume(lots, points, DAY)
    assert sum(part for _, part in taken) == points
    assert all(0 < part <= lot.left and not lot.is_past(DAY) for lot, part in taken)
    last_days = [lot.expires_on or date.max for lot, _ in taken]
    assert last_days == sorted(last_days)


@given(parts=st.lists(st.integers(1, 50), min_size=1, max_size=6), data=st.data())
def test_points_go_back_to_the_last_consumed_first_however_many_steps_it_takes(parts, data):
    points = data.draw(st.integers(0, sum(parts)))
    back = rules.given_back(parts, points)
    assert sum(back) == points
    assert all(0 <= each <= part for each, part in zip(back, parts, strict=True))
    touched = [index for index, each in enumerate(back) if each]
    assert all(back[index] == parts[index] for index in touched[1:])
    more = rules.given_back(parts, data.draw(st.integers(points, sum(parts))))
    assert all(after >= before for after, before in zip(more, back, strict=True))


@pytest.mark.requirement("C38")
def test_the_rules_are_dated_rows_of_data():
    rule = rules.redemption_rule(DAY)
    assert (rule.fen_per_point, rule.restore_after) == (1, timedelta(hours=72))
    assert rules.points_expire_on(DAY) == date(2027, 12, 31)
    long_ago = DAY.replace(year=1999)
    assert rules.points_expire_on(long_ago) is None
    with pytest.raises(rules.RedemptionNotOffered):
        rules.redemption_rule(long_ago)
    earning = rules.earning_rule(DAY)
    assert earning is not None
    assert "points" in earning.excluded_tenders
