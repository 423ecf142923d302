"""Contracts: what must be in them, and that no order of steps takes a line beyond its quantity. Pure."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from finance.contract_forms import rules as forms
from finance.contracts import rules
from finance.contracts.rules import AmendmentBelowOrdered, ContractQuantityExceeded, Progress
from shared.audit import digest

DAY = date(2026, 11, 22)
LINE = {
    "line_no": 1, "product_id": "P-1", "generic_name": "阿莫西林胶囊", "specification": "0.25 g × 24",
    "dosage_form": None, "category": "otc", "quantity": 100, "unit_price_fen": 1990, "tax_bp": 1300,
    "delivery_date": "2026-12-01",
}  # fmt: skip
CONTENT = {
    "lines": [LINE],
    "payment_terms": {"method": "bank", "instalments": [{"days": 30, "share_bp": 10_000}]},
    "quality_clause": "q", "our_signatory": "boss", "customer_signatory": "c", "place": "上海",
    "dated_on": "2026-11-22", "file_sha256": "ab" * 32, "valid_from": "2026-11-01", "valid_until": "2027-03-31",
}  # fmt: skip
quantities = st.integers(min_value=-2, max_value=60)


class Fulfilment(RuleBasedStateMachine):
    """Orders, releases, shipments and amendments in any order; those that do not fit are refused and change nothing."""

    def __init__(self):
        super().__init__()
        self.line = Progress(50)
        self.ordered = self.shipped = 0

    def attempt(self, step, quantity, allowed):
        before = self.line
        if allowed:
            self.line = step(quantity)
        else:
            with pytest.raises((ContractQuantityExceeded, AmendmentBelowOrdered)):
                step(quantity)
            assert self.line == before
        return allowed

    @rule(quantity=quantities)
    def order(self, quantity):
        if self.attempt(self.line.order, quantity, 1 <= quantity <= self.line.quantity - self.ordered):
            self.ordered += quantity

    @rule(quantity=quantities)
    def release(self, quantity):
        if self.attempt(self.line.release, quantity, 1 <= quantity <= self.ordered - self.shipped):
            self.ordered -= quantity

    @rule(quantity=quantities)
    def ship(self, quantity):
        if self.attempt(self.line.ship, quantity, 1 <= quantity <= self.ordered - self.shipped):
            self.shipped += quantity

    @rule(quantity=st.integers(min_value=0, max_value=80))
    def amend(self, quantity):
        if self.attempt(self.line.amend, quantity, quantity >= self.ordered):
            assert self.line.quantity == quantity

    @precondition(lambda self: self.ordered > self.shipped)
    @rule()
    def ship_all_that_is_ordered(self):
        self.line = self.line.ship(self.ordered - self.shipped)
        self.shipped = self.ordered

    @invariant()
    def never_negative_and_never_above_the_amended_quantity(self):
        line = self.line
        assert (line.ordered, line.shipped) == (self.ordered, self.shipped)
        assert 0 <= line.shipped <= line.ordered <= line.quantity
        assert line.remaining == line.quantity - self.ordered
        assert rules.is_all_shipped([line]) == (line.quantity > 0 and line.shipped == line.quantity)


TestFulfilment = pytest.mark.requirement("F9", "C37")(Fulfilment.TestCase)


def at(content, path):
    for part in path.split("."):
        content = content[int(part) if part.isdigit() else part]
    return content


PATHS = (
    *(f"lines.0.{name}" for name in LINE if name != "dosage_form"),
    "payment_terms.method", "payment_terms.instalments", *(name for name in CONTENT if name != "payment_terms"),
)  # fmt: skip


@pytest.mark.requirement("F8")
@given(taken=st.sets(st.sampled_from(PATHS)))
def test_whatever_is_taken_out_of_a_contract_is_named_and_nothing_else(taken):
    content = {
        **{name: value for name, value in CONTENT.items() if name not in taken},
        "lines": [] if "lines" in taken else [{n: v for n, v in LINE.items() if f"lines.0.{n}" not in taken}],
        "payment_terms": {
            n: v for n, v in CONTENT["payment_terms"].items() if f"payment_terms.{n}" not in taken
        },
    }
    expected = {path for path in taken if not (path.startswith("lines.") and "lines" in taken)}
    shown = {path.replace("unit_price_fen", "unit_price") for path in expected}
    content = forms.Content.of(content)
    assert set(content.missing) == shown
    if taken:
        with pytest.raises(forms.ContractIncomplete) as refusal:
            forms.require_complete(content, on=DAY)
        assert {each["path"] for each in refusal.value.context["errors"]} == shown
    else:
        forms.require_complete(content, on=DAY)


@pytest.mark.requirement("F8")
def test_rates_of_vat_are_those_of_the_day():
    agreed = forms.require_complete(forms.Content.of(CONTENT), on=DAY)
    assert digest(agreed.plain) == digest(CONTENT), "it is hashed as it was written down"
    for wrong in ({"tax_bp": 1700}, {"unit_price_fen": 10**14}):
        with pytest.raises(forms.ContractContentInvalid):
            forms.require_complete(forms.Content.of({**CONTENT, "lines": [{**LINE, **wrong}]}), on=DAY)


@pytest.mark.requirement("F9")
@given(days=st.integers(min_value=0, max_value=30))
def test_a_contract_entered_later_than_the_house_allows_is_late(days):
    limit = rules.rule("entry_days_max", DAY)
    assert rules.is_late(DAY, DAY + timedelta(days=days)) == (days > limit)
    with pytest.raises(KeyError):
        rules.rule("nothing", DAY)


@pytest.mark.requirement("F26")
@given(ends=st.dates(min_value=date(2010, 1, 1), max_value=date(2060, 12, 31)))
def test_paper_is_kept_whole_years_after_the_year_it_ends_in(ends):
    kept = rules.keep_until(ends, DAY)
    assert (kept.month, kept.day) == (12, 31)
    assert kept.year - ends.year == 30
