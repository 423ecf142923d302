"""What a refund's steps allow, for every state and every step; and its last day."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finance.refund_amounts import split
from finance.refunds import rules
from finance.refunds.rules import Part, Payment, State

MEANS = st.sampled_from(["cash", "wechat", "alipay", "card", "medical_insurance", "credit", "points", "bank"])


@pytest.mark.requirement("F22")
@pytest.mark.parametrize("state", list(State))
def test_a_paid_or_withdrawn_refund_takes_no_step_and_every_other_one_has_a_way_on(state):
    allowed = {step for step, states in rules.FROM.items() if state in states}
    assert bool(allowed) == (state not in {State.PAID, State.WITHDRAWN})
    for step in rules.FROM:
        if step in allowed:
            rules.require(step, state)
        else:
            with pytest.raises(rules.RefundNotAwaited):
                rules.require(step, state)


@pytest.mark.requirement("F22")
@given(MEANS, st.booleans(), st.booleans())
def test_a_part_is_paid_once_and_with_a_reference_exactly_where_there_is_a_channel(
    means, is_paid, has_reference
):
    part = Part(tender="t", means=means, fen=1, is_paid=is_paid)
    payment = Payment(tender="t", reference="R" if has_reference else None)
    if is_paid:
        with pytest.raises(rules.RefundPartPaid):
            rules.to_pay([part], payment)
    elif has_reference == (means in {"cash", "credit", "points"}):
        with pytest.raises(rules.RefundReferenceUnfit):
            rules.to_pay([part], payment)
    else:
        assert rules.to_pay([part], payment) is part


@pytest.mark.requirement("F22")
@given(
    st.dictionaries(MEANS, st.integers(1, 10**9), min_size=1, max_size=5),
    st.lists(st.integers(0, 10**9), max_size=6),
)
def test_any_refunds_of_a_sale_together_give_back_at_most_what_each_tender_took(took, wanted):
    back: dict[str, int] = {}
    for fen in wanted:
        left = sum(took.values()) - sum(back.values())
        for tender, part in split(min(fen, left), took, back).items():
            back[tender] = back.get(tender, 0) + part
            assert back[tender] <= took[tender]
    rest = sum(took.values()) - sum(back.values())
    for tender, part in split(rest, took, back).items():
        back[tender] = back.get(tender, 0) + part
    assert back == took


@pytest.mark.requirement("F22")
@given(st.dates(date(2000, 1, 1), date(2090, 1, 1)))
def test_a_refund_is_due_seven_days_after_the_goods_came_back(day):
    assert rules.due_on(day) == day + timedelta(days=7)
