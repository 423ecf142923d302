"""What a drawer should hold, what a count finds, where a difference goes."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finance.cash import rules
from finance.cash.model import Pieces
from finance.cash.rules import Kind, Outcome
from finance.kernel.chart import Standard, chart_of
from shared.approvals import RoleNotAwaited, SamePerson
from shared.calendar import Calendar

DAY = date(2026, 3, 2)
PACKAGED = Calendar()
CHARTS = [chart_of(Standard.CAS), chart_of(Standard.SMALL)]
AMOUNTS = st.integers(-(10**12), 10**12)


def moved(lines, account):
    return sum(line.debit_fen - line.credit_fen for line in lines if line.account == account)


@given(st.lists(st.tuples(st.sampled_from([row["value"] for row in rules.denominations(DAY)]), st.integers(0, 500)), unique_by=lambda each: each[0]))  # fmt: skip
@pytest.mark.requirement("F4")
def test_a_count_is_the_sum_of_its_pieces(counted):
    items = [Pieces(value, pieces) for value, pieces in counted]
    assert rules.total_of(items, DAY) == sum(value * pieces for value, pieces in counted)


@pytest.mark.parametrize("values", [[3], [0], [10000, 10000], [200], [20]])
def test_a_count_refuses_what_is_no_money_or_named_twice(values):
    with pytest.raises(rules.DenominationUnknown):
        rules.total_of([Pieces(value, 1) for value in values], DAY)


def test_notes_that_were_withdrawn_count_until_their_last_day():
    two_yuan = [Pieces(200, 3)]
    assert rules.total_of(two_yuan, date(2018, 4, 30)) == 600
    with pytest.raises(rules.DenominationUnknown):
        rules.total_of(two_yuan, date(2018, 5, 1))


@given(AMOUNTS)
@pytest.mark.requirement("F4")
@pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: chart.standard)
def test_any_difference_is_posted_between_cash_and_1901_and_resolved_out_of_it_again(chart, variance):
    found = rules.variance_postings(chart, variance)
    assert moved(found, "1001") == variance
    assert moved(found, "1901") == -variance
    if not variance:
        assert found == []
        return
    for outcome in Outcome:
        if (outcome in {Outcome.INCOME, Outcome.OWED}) == (variance > 0):
            resolved = rules.resolution_postings(chart, variance, outcome)
            assert moved(resolved, "1901") == variance
            assert moved(resolved, "1001") == 0
        else:
            with pytest.raises(rules.OutcomeUnfit):
                rules.resolution_postings(chart, variance, outcome)


@pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: chart.standard)
def test_every_reason_there_is_leads_to_an_account_of_both_standards(chart):
    for row in rules.reasons(DAY):
        kind = Kind(row["kind"])
        lines = rules.movement_postings(chart, kind, 500, row["reason"], DAY)
        assert moved(lines, "1001") == rules.signed(kind, 500)


def test_a_reason_of_the_other_direction_is_refused():
    for kind, reason in ((Kind.PAY_IN, "petty_expense"), (Kind.PAYOUT, "other_income"), (Kind.PAYOUT, None)):
        with pytest.raises(rules.ReasonUnknown):
            rules.movement_postings(CHARTS[0], kind, 1, reason, DAY)


def test_between_drawer_and_safe_nothing_is_posted_and_to_the_bank_it_is_in_transit():
    for kind in (Kind.SAFE_DROP, Kind.TOP_UP, Kind.REFUND):
        assert rules.movement_postings(CHARTS[0], kind, 5, None, DAY) == []
    assert moved(rules.movement_postings(CHARTS[0], Kind.BANK_DROP, 5, None, DAY), "1012.05") == 5
    assert moved(rules.movement_postings(CHARTS[0], Kind.BANK_WITHDRAWAL, 5, None, DAY), "1012.05") == -5


@pytest.mark.requirement("X1")
def test_small_differences_are_the_managers_large_ones_the_auditors_and_never_the_handlers_own():
    def role(fen, *roles, person="p"):
        return rules.resolver_role(fen, DAY, person=person, roles=frozenset(roles), involved=["c", "till"])

    assert role(-10_000, "store_manager") == "store_manager"
    assert role(10_001, "finance_auditor") == "finance_auditor"
    for refused in (lambda: role(10_001, "store_manager"), lambda: role(5, "accountant")):
        with pytest.raises(RoleNotAwaited):
            refused()
    with pytest.raises(SamePerson):
        role(5, "store_manager", person="c")


@pytest.mark.requirement("F4")
def test_a_difference_found_before_the_national_holiday_is_due_after_it():
    assert rules.due_on(PACKAGED, date(2026, 3, 2)) == date(2026, 3, 5)
    friday_before = date(2026, 4, 30)
    due = rules.due_on(PACKAGED, friday_before)
    assert due > date(2026, 5, 5)
    assert rules.is_on_time(PACKAGED, friday_before, due)
    assert not rules.is_on_time(PACKAGED, friday_before, date.fromordinal(due.toordinal() + 1))


def test_a_deadline_in_a_year_without_calendar_is_not_told_but_does_not_hinder():
    last_day = date(2026, 12, 31)
    assert rules.due_on(PACKAGED, last_day) is None
    assert rules.is_on_time(PACKAGED, last_day, date(2027, 1, 2))
    assert rules.is_overdue(PACKAGED, last_day, date(2027, 1, 12)) is None, "not guessed"


def test_a_notice_of_the_year_tells_the_deadline():
    announced = Calendar(days={date(2027, 1, 1): False}, years=frozenset({2027}))
    last_day = date(2026, 12, 31)
    assert rules.due_on(announced, last_day) == date(2027, 1, 6)
    assert rules.is_overdue(announced, last_day, date(2027, 1, 12)) is True


@given(st.dates(date(2025, 1, 1), date(2026, 11, 1)), st.integers(0, 40))
def test_lateness_is_the_same_as_being_after_the_due_day(found_on, days):
    today = date.fromordinal(found_on.toordinal() + days)
    assert rules.is_on_time(PACKAGED, found_on, today) == (today <= rules.due_on(PACKAGED, found_on))
