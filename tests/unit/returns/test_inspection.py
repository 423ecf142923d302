"""How much is inspected, and what follows."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from returns.inspection.rules import CHECKS, conclude, plan
from returns.kernel.vocabulary import Result

DAY = date(2026, 3, 2)


def sample(cases, *, is_intact=True, has_anomaly=False):
    return plan(cases, is_intact=is_intact, has_anomaly=has_anomaly, on=DAY)


@pytest.mark.requirement("R10")
@pytest.mark.parametrize(
    ("cases", "opened"),
    [(1, 1), (2, 2), (3, 3), (5, 5), (6, 6), (7, 6), (50, 6), (51, 8), (100, 8), (101, 10), (150, 10)],
)
def test_the_sample_follows_the_table(cases, opened):
    assert (sample(cases).cases, sample(cases).packs_per_case) == (opened, 6)


@pytest.mark.requirement("R10")
def test_an_anomaly_doubles_cases_and_packs_but_never_beyond_what_there_is():
    assert (sample(51, has_anomaly=True).cases, sample(51, has_anomaly=True).packs_per_case) == (16, 12)
    assert sample(7, has_anomaly=True).cases == 7


@pytest.mark.requirement("R10")
@given(st.integers(1, 100_000))
def test_a_sample_is_never_empty_never_too_large_and_grows_with_the_lot(cases):
    assert 1 <= sample(cases).cases <= cases
    assert sample(cases).cases <= sample(cases + 1).cases


def test_goods_without_an_intact_pack_are_inspected_to_the_last_pack():
    assert (sample(80, is_intact=False).cases, sample(80, is_intact=False).packs_per_case) == (80, None)


@given(st.lists(st.sampled_from([each.value for each in Result]), min_size=8, max_size=8))
def test_one_failure_fails_and_one_doubt_leaves_it_open(results):
    result = conclude(dict(zip(CHECKS, results, strict=True)))
    expected = next((each for each in ("fail", "undetermined") if each in results), "pass")
    assert result == expected
