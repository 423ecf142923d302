"""What may be claimed, what an audit leaves, what a budget allows, what a plan brought."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finance.budgets.rules import Budget, BudgetExceeded, overruns
from finance.expense_categories.rules import categories_on, spent_by_category
from finance.expenses import rules
from finance.expenses.rules import Finding, Item, Outcome
from finance.kernel import rates
from finance.kernel.chart import Standard, chart_of
from finance.kernel.posting import PostingLine
from finance.kernel.vat import rates_on, tax_inside
from finance.promotions.rules import forecast_net_fen

TODAY = date(2026, 3, 20)


def an_item(no=1, **odd):
    return Item(
        **{
            "no": no,
            "category": "travel",
            "amount_fen": 10_900,
            "tax_fen": 900,
            "invoice_no": f"INV{no:04}",
            "spent_on": date(2026, 3, 3),
            **odd,
        }
    )


amounts = st.integers(2, 10**9)
items = st.builds(
    lambda no, category, amount, tax: an_item(
        no, category=category, amount_fen=amount, tax_fen=tax % amount, attendees=("C1",)
    ),
    st.just(1),
    st.sampled_from(["travel", "entertainment", "after_sales", "other"]),
    amounts,
    amounts,
)


@pytest.mark.requirement("F18", "F23")
@pytest.mark.parametrize("standard", list(Standard))
def test_every_category_has_an_expense_account_of_its_own_and_every_selling_expense_a_category(standard):
    chart = chart_of(standard)
    categories = categories_on(TODAY).values()
    accounts = [chart.by_code[chart.code(each.account)] for each in categories]
    assert len({each.code for each in accounts}) == len(accounts)
    selling = {
        each.code for each in chart.accounts if each.leaf and each.statement_line == "selling_expenses"
    }
    assert {each.code for each in accounts} == selling | {
        chart.code("administrative_expenses"),
        chart.code("financial_expenses"),
    }
    claimed = {each.category for each in categories if each.claimable}
    assert {"travel", "entertainment", "office"} < claimed < {each.category for each in categories}


@pytest.mark.requirement("F20")
@given(st.lists(st.tuples(st.sampled_from(["6601.01", "6601.23", "6602", "1002"]), st.integers(-99, 99))))
def test_an_entry_spends_its_debits_less_its_credits_on_the_accounts_of_categories(moved):
    lines = [PostingLine(account, max(fen, 0), max(-fen, 0)) for account, fen in moved]
    spent = spent_by_category(chart_of(Standard.CAS), lines, TODAY)
    for name, account in (("travel", "6601.01"), ("rent", "6601.23"), ("administration", "6602")):
        assert spent.pop(name, 0) == sum(fen for where, fen in moved if where == account)
    assert spent == {}


@pytest.mark.requirement("F18")
@pytest.mark.parametrize(
    ("odd", "refusal", "path"),
    [
        ({"spent_on": TODAY + timedelta(days=1)}, rules.SpentInFuture, "items.0.spent_on"),
        ({"spent_on": TODAY - timedelta(days=181)}, rules.SpentTooLongAgo, "items.0.spent_on"),
        ({"category": "gold"}, rules.CategoryUnknown, "items.0.category"),
        ({"category": "entertainment"}, rules.AttendeesMissing, "items.0.attendees"),
        ({"category": "entertainment", "attendees": ("sally",)}, rules.AttendeesMissing, "items.0.attendees"),
        ({"tax_fen": 10_900}, rules.TaxTooLarge, "items.0.tax"),
        ({"tax_fen": 1_265}, rules.TaxTooLarge, "items.0.tax"),
        ({"category": "rent"}, rules.CategoryUnknown, "items.0.category"),
    ],
)
def test_what_may_not_be_claimed_is_named_with_its_place(odd, refusal, path):
    with pytest.raises(refusal) as refused:
        rules.check_items([an_item(**odd)], "sally", TODAY)
    assert path in {fault["path"] for fault in refused.value.context["errors"]}


@pytest.mark.requirement("F19")
def test_an_invoice_stands_once_in_a_claim():
    with pytest.raises(rules.InvoiceRepeated):
        rules.check_items([an_item(1), an_item(2, invoice_no="INV0001")], "sally", TODAY)
    with pytest.raises(rules.InvoiceRepeated):
        rules.check_items(
            [an_item(1, invoice_no="0123456789"), an_item(2, invoice_no="123456789")], "sally", TODAY
        )


@pytest.mark.requirement("F19")
@given(amounts, st.sampled_from(sorted(rates_on(TODAY))))
def test_the_tax_of_any_rate_may_be_claimed_and_none_that_would_hide_the_expense(amount, rate):
    honest = an_item(amount_fen=amount, tax_fen=min(tax_inside(amount, rate), amount - 1))
    rules.check_items([honest], "sally", TODAY)
    assert rules.most_tax_fen(honest, TODAY) <= amount * 13 // 113 + 11


@pytest.mark.requirement("F18")
def test_entertainment_deducts_no_input_tax_and_travel_does():
    assert rules.cost_fen(an_item()) == 10_000
    assert rules.cost_fen(an_item(category="entertainment", attendees=("C1",))) == 10_900


@pytest.mark.requirement("F19")
@given(st.lists(items, min_size=1, max_size=8), st.data())
def test_an_audit_never_adds_and_what_is_left_posts_and_balances(claimed, data):
    claimed = [
        an_item(
            no,
            category=item.category,
            amount_fen=item.amount_fen,
            tax_fen=item.tax_fen,
            attendees=item.attendees,
        )
        for no, item in enumerate(claimed, 1)
    ]
    findings = []
    for item in claimed:
        outcome = data.draw(st.sampled_from(list(Outcome)))
        accepted = data.draw(st.integers(1, item.amount_fen - 1)) if outcome is Outcome.REDUCE else None
        findings.append(Finding(no=item.no, outcome=outcome, accepted_fen=accepted, reason="checked"))
    left = rules.audit(claimed, findings)
    kept = []
    for item, finding, audited in zip(claimed, findings, left, strict=True):
        wanted = {
            Outcome.ACCEPT: item.amount_fen,
            Outcome.REDUCE: finding.accepted_fen,
            Outcome.REFUSE: 0,
        }
        assert audited.accepted_fen == wanted[finding.outcome]
        assert 0 <= audited.accepted_tax_fen <= min(item.tax_fen, audited.accepted_fen)
        assert (audited.reason is None) == (finding.outcome is Outcome.ACCEPT)
        kept.append(
            an_item(
                item.no,
                category=item.category,
                amount_fen=item.amount_fen,
                tax_fen=item.tax_fen,
                accepted_fen=audited.accepted_fen,
                accepted_tax_fen=audited.accepted_tax_fen,
            )
        )
        assert rules.cost_fen(kept[-1]) <= rules.cost_fen(item)
    chart = chart_of(Standard.CAS)
    posted = rules.approved_posting(chart, kept)
    assert sum(line.debit_fen for line in posted) == sum(each.accepted_fen for each in left)
    owed = [line.credit_fen for line in posted if line.account == chart.code("staff_payable")]
    assert sum(owed) == sum(each.accepted_fen for each in left)
    costs = sum(line.debit_fen for line in posted if line.account.startswith("6601."))
    assert costs == sum(rules.cost_fen(item) for item in kept)


@pytest.mark.requirement("F19")
@pytest.mark.parametrize(
    "finding",
    [
        Finding(no=9, outcome=Outcome.REFUSE, accepted_fen=None, reason="no such item"),
        Finding(no=1, outcome=Outcome.REFUSE, accepted_fen=None, reason=" "),
        Finding(no=1, outcome=Outcome.REDUCE, accepted_fen=None, reason="too much"),
        Finding(no=1, outcome=Outcome.REDUCE, accepted_fen=10_900, reason="not less"),
        Finding(no=1, outcome=Outcome.ACCEPT, accepted_fen=1, reason=None),
    ],
)
def test_a_finding_that_says_nothing_sensible_is_refused(finding):
    with pytest.raises(rules.AuditFindingInvalid):
        rules.audit([an_item()], [finding])


def test_an_item_is_judged_once():
    finding = Finding(no=1, outcome=Outcome.REFUSE, accepted_fen=None, reason="twice")
    with pytest.raises(rules.AuditFindingInvalid):
        rules.audit([an_item()], [finding, finding])


@pytest.mark.requirement("F20")
@given(
    st.integers(0, 10**9),
    st.integers(0, 10**9),
    st.integers(0, 10**9),
    st.integers(1, 10**9),
    st.sampled_from(["stop", "approval"]),
)
def test_a_budget_lets_through_what_is_available_and_not_a_fen_more(amount, reserved, actual, need, overrun):
    budget = Budget(
        budget_id="b", amount_fen=amount, reserved_fen=reserved, actual_fen=actual, overrun=overrun
    )
    excess = need + reserved + actual - amount
    if excess > 0 and overrun == "stop":
        with pytest.raises(BudgetExceeded):
            overruns([budget], {"b": need})
    else:
        assert overruns([budget], {"b": need}) == ({"b": excess} if excess > 0 else {})


@pytest.mark.requirement("F6", "F28")
def test_the_return_on_what_was_spent_is_in_basis_points_and_nothing_of_nothing():
    assert rates.roi_bp(15_000, 10_000) == 5_000
    assert rates.roi_bp(5_000, 10_000) == -5_000
    assert rates.roi_bp(1, 0) is None
    assert forecast_net_fen(100_000, 2_500) == 125_000


@pytest.mark.requirement("F18")
def test_a_paid_claim_moves_what_is_owed_to_bank_or_cash():
    chart = chart_of(Standard.CAS)
    for where, code in (("bank", "1002"), ("cash_on_hand", "1001")):
        debit, credit = rules.paid_posting(chart, where, 500)
        assert (debit.account, debit.debit_fen, credit.account, credit.credit_fen) == (
            "2241.02",
            500,
            code,
            500,
        )
