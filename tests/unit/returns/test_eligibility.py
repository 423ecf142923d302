"""What may come back at all."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from returns.eligibility.rules import EligibilityRow, PackageState, judge, packaged_matrix, row_for
from returns.kernel import reasons
from returns.kernel.dated import RuleNotInForce

DAY = date(2026, 3, 2)
KINDS = ("b2b", "retail")


def faults(kind="b2b", why="slow_moving", *, unopened=True, intact=True, is_expired=False, has_proof=True):
    package = PackageState(unopened=unopened, intact=intact)
    return judge(
        kind=kind, reason=why, package=package, is_expired=is_expired, has_proof=has_proof, on=DAY
    ).faults


@pytest.mark.requirement("R14", "R19")
def test_whole_goods_in_date_may_come_back_and_opened_or_expired_ones_may_not():
    assert faults() == ()
    assert faults(unopened=False) == ("opened",)
    assert faults(intact=False) == ("not_intact",)
    assert faults(is_expired=True) == ("expired",)
    assert faults(unopened=False, is_expired=True) == ("opened", "expired")


@pytest.mark.requirement("R18")
@pytest.mark.parametrize("why", ["quality_defect.efficacy", "recall", "adr"])
def test_opened_goods_come_back_only_for_defect_recall_or_reaction(why):
    assert faults(why=why, unopened=False, intact=False) == ()


@given(st.sampled_from(KINDS), st.sampled_from(reasons.codes()))
def test_opened_goods_are_never_accepted_for_any_other_reason(kind, why):
    if reasons.root_of(why) not in {"quality_defect", "recall", "adr"}:
        assert faults(kind, why, unopened=False)


@pytest.mark.requirement("R19")
@given(st.sampled_from(KINDS), st.sampled_from(reasons.codes()), st.booleans(), st.booleans(), st.booleans())
def test_expired_goods_come_back_only_when_recalled(kind, why, unopened, intact, has_proof):
    found = faults(kind, why, unopened=unopened, intact=intact, is_expired=True, has_proof=has_proof)
    assert bool(found) == (reasons.root_of(why) != "recall")


@pytest.mark.requirement("R14")
@pytest.mark.parametrize("why", ["slow_moving", "wrong_item", "over_delivery", "consumer_7day", "other"])
def test_a_shop_takes_nothing_back_unless_for_quality(why):
    assert faults("retail", why) == ("reason_not_accepted",)
    assert faults("retail", "quality_defect.appearance") == ()


@pytest.mark.requirement("R15")
def test_a_claim_of_damage_needs_its_proof():
    assert faults(why="transport_damage", has_proof=False) == ("proof_missing",)
    assert faults(why="transport_damage", intact=False) == ()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("why", reasons.codes())
def test_every_reason_has_its_row_with_a_source(kind, why):
    assert row_for(kind, why, on=DAY).source


def test_the_newest_row_in_force_counts_and_none_is_no_guess():
    old = next(row for row in packaged_matrix() if (row.kind, row.reason) == ("retail", "slow_moving"))
    new = EligibilityRow(
        **{name: getattr(old, name) for name in old.__slots__}
        | {"accepted": True, "effective_from": date(2026, 3, 2)}
    )
    matrix = (new, old)
    assert row_for("retail", "slow_moving", on=date(2026, 3, 1), matrix=matrix) is old
    assert row_for("retail", "slow_moving", on=date(2026, 3, 2), matrix=matrix) is new
    with pytest.raises(RuleNotInForce):
        row_for("retail", "slow_moving", on=date(1999, 1, 1), matrix=matrix)
