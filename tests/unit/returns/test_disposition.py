"""What becomes of accepted goods: back on sale only when everything speaks for it."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from returns.disposition.rules import (
    Goods,
    LabResultAwaited,
    RestockNotAllowed,
    add_months,
    require_allowed,
    restock_faults,
)
from returns.kernel.dated import Rule, RuleNotInForce, number, packaged_rules
from returns.kernel.reasons import codes, root_of
from returns.kernel.vocabulary import Disposition, Result

DAY = date(2026, 3, 2)


def goods(**odd):
    return Goods(
        **{
            "reason": "slow_moving",
            "kind": "b2b",
            "expiry": date(2026, 9, 2),
            "inspection": Result.PASS,
            "cold_chain_passed": True,
            **odd,
        }
    )


@pytest.mark.parametrize(
    ("odd", "fault"),
    [
        ({"inspection": Result.FAIL}, "inspection_not_passed"),
        ({"cold_chain_passed": False}, "cold_chain_not_passed"),
        ({"expiry": date(2026, 9, 1)}, "expiry_too_near"),
        ({"reason": "recall"}, "reason_forbids"),
        ({"reason": "quality_defect.packaging"}, "reason_forbids"),
    ],
)
def test_each_missing_condition_keeps_goods_from_being_sold_again(odd, fault):
    assert restock_faults(goods(), on=DAY) == ()
    assert restock_faults(goods(**odd), on=DAY) == (fault,)
    with pytest.raises(RestockNotAllowed):
        require_allowed(Disposition.RESTOCK, goods(**odd), on=DAY)


@pytest.mark.requirement("R20")
@given(st.sampled_from(Disposition))
def test_undetermined_goods_go_to_the_laboratory_and_nowhere_else(disposition):
    unsure = goods(inspection=Result.UNDETERMINED)
    if disposition is Disposition.LAB_HOLD:
        require_allowed(disposition, unsure, on=DAY)
    else:
        with pytest.raises(LabResultAwaited):
            require_allowed(disposition, unsure, on=DAY)


@pytest.mark.requirement("R17")
@given(
    st.sampled_from(codes()),
    st.dates(date(2000, 1, 1), date(2099, 1, 1)),
    st.sampled_from([Result.PASS, Result.FAIL]),
)
def test_expired_goods_can_always_be_destroyed_or_sent_to_the_supplier(why, expiry, result):
    for disposition in (Disposition.DESTROY, Disposition.SUPPLIER_RETURN):
        require_allowed(disposition, goods(reason=why, expiry=expiry, inspection=result), on=DAY)
    if root_of(why) in {"recall", "quality_defect"}:
        assert "reason_forbids" in restock_faults(goods(reason=why, expiry=expiry), on=DAY)


@pytest.mark.parametrize(
    ("day", "months", "then"),
    [
        (date(2026, 8, 31), 6, date(2027, 2, 28)),
        (date(2026, 1, 15), 12, date(2027, 1, 15)),
        (date(2027, 8, 31), 6, date(2028, 2, 29)),
    ],
)
def test_months_are_calendar_months(day, months, then):
    assert add_months(day, months) == then


def test_every_number_is_a_dated_row_with_source_and_mark():
    assert all(
        rule.source and rule.mark in {"V", "S", "M"} and rule.unit
        for area in ("returns.cold_chain", "returns.disposition", "returns.inspection")
        for rule in packaged_rules(area)
    )


def test_the_newest_row_in_force_counts():
    rules = [
        Rule(key="k", value=value, unit="x", effective_from=day, source="s", mark="M")
        for value, day in ((1, date(2020, 1, 1)), (2, date(2026, 1, 1)))
    ]
    assert [
        number("returns.disposition", "k", on=day, rules=rules)
        for day in (date(2025, 12, 31), date(2026, 1, 1))
    ] == [1, 2]
    with pytest.raises(RuleNotInForce):
        number("returns.disposition", "k", on=date(2019, 1, 1), rules=rules)
