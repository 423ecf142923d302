"""Points: one per yuan that the patient paid, taken back exactly when all is refunded."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customers.loyalty import rules
from customers.loyalty.rules import earn, reversed_points, take_back
from tests.support.points import DAY

AMOUNTS = st.lists(st.integers(0, 10**7), min_size=1, max_size=8)


def as_lines(amounts):
    return [(str(number), fen) for number, fen in enumerate(amounts)]


@pytest.mark.requirement("C38")
def test_a_sale_earns_one_point_per_full_yuan_over_all_its_lines():
    earned = earn([("a", 150), ("b", 150), ("c", 99)], 0, 100)
    assert sum(each.points for each in earned) == 3


@pytest.mark.requirement("C38")
def test_what_medical_insurance_pays_earns_nothing():
    earned = earn([("a", 6_000), ("b", 4_000)], 5_000, 100)
    assert [(each.line_id, each.basis_fen, each.points) for each in earned] == [
        ("a", 3_000, 30),
        ("b", 2_000, 20),
    ]
    assert earn([("a", 6_000)], 6_000, 100) == []


def test_a_sale_below_one_yuan_or_of_nothing_earns_nothing():
    assert earn([("a", 99)], 0, 100) == []
    assert earn([("a", 0)], 0, 100) == []
    assert earn([], 0, 100) == []


@given(amounts=AMOUNTS, excluded=st.integers(-5, 10**8))
def test_points_are_the_full_yuan_of_the_eligible_amount_and_no_line_exceeds_its_own(amounts, excluded):
    earned = earn(as_lines(amounts), excluded, 100)
    total = sum(amounts)
    assert sum(each.points for each in earned) == (total - min(max(excluded, 0), total)) // 100
    assert all(0 <= each.basis_fen <= each.gross_fen and each.points > 0 for each in earned)
    assert all(each.points <= each.basis_fen // 100 + 1 for each in earned)


@pytest.mark.requirement("C38")
@given(
    amounts=AMOUNTS,
    excluded=st.integers(0, 10**7),
    cuts=st.lists(st.integers(1, 5), max_size=6),
    data=st.data(),
)
def test_refunds_in_any_pieces_and_order_take_back_exactly_what_was_earned(amounts, excluded, cuts, data):
    earned = earn(as_lines(amounts), excluded, 100)
    pieces = []
    for line_id, fen in as_lines(amounts):
        for share in cuts:
            part = fen // (share + 1)
            pieces.append({line_id: part})
            fen -= part  # noqa: PLW2901 - what is left of the line
        pieces.append({line_id: fen})
    state, taken = {}, 0
    for piece in data.draw(st.permutations(pieces)):
        points, state = take_back(earned, state, piece)
        assert points >= 0
        taken += points
    assert taken == sum(each.points for each in earned)


@given(amount=st.integers(100, 10**6), refunds=st.lists(st.integers(0, 10**6), max_size=10))
def test_no_more_is_ever_taken_back_than_was_earned(amount, refunds):
    (earning,) = earn([("a", amount)], 0, 100)
    assert 0 <= reversed_points(earning, sum(refunds)) <= earning.points
    assert reversed_points(earning, amount // 2) == earning.points * (amount // 2) // amount


def test_the_rule_is_a_dated_row_of_data():
    rule = rules.earning_rule(DAY)
    assert rule is not None
    insured = {"medical_insurance", "medical_insurance_pooled", "medical_insurance_personal"}
    assert (rule.fen_per_point, rule.excluded_tenders) == (100, {*insured, "points"})
    assert rules.earning_rule(DAY.replace(year=1999)) is None
