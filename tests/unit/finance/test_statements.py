"""Statements over random books: whatever was booked, every form adds up, in both standards."""

from collections import defaultdict
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finance.kernel.chart import Standard, chart_of
from finance.kernel.statement import Kind, Span, SpanMonthWrong, first_month
from finance.settings import companies, company_on, new_book
from finance.statement_figures.queries import TRANSFERS
from finance.statement_figures.rules import cash_flow, equity
from finance.statement_figures.rules.cash_flow import FLOWS, ClassificationInvalid, Movement
from finance.statement_figures.rules.content import (
    StatementUnbalanced,
    Subject,
    content_of,
    correctable,
    corrected,
    require_balance,
    subject_of,
)
from finance.statement_figures.rules.layout import form_of, line_of, with_totals
from finance.statements.rules import StatementNotKept, due_on, is_kept, require_kept, required, signatures
from shared.audit import digest
from shared.settings import SettingsFaulty
from tests.support.statements import movements_of

DAY = date(2026, 6, 30)
COMPANY = {"zh": "某药房", "en": "A pharmacy", "uscc": None}
KINDS = ("manual", "reversal", "sale", "bank_direct", "expense_paid", "goods_receipt")


class Book:
    """Entries in memory, answering what the books of a database answer."""

    def __init__(self, standard, entries):
        self.chart = chart_of(standard)
        self.entries = entries

    def _of(self, first, until):
        return [entry for entry in self.entries if first <= entry[0] < until]

    def _summed(self, entries):
        sums = defaultdict(int)
        for _, _, lines in entries:
            for code, fen in lines.items():
                sums[code] -= fen
        return dict(sums)

    def balances(self, until):
        return self._summed(self._of(date.min, until))

    def movements(self, first, until):
        return self._summed([each for each in self._of(first, until) if each[1] not in TRANSFERS])

    def cash(self, first, until):
        return movements_of(self.chart, [(kind, lines) for _, kind, lines in self._of(first, until)])

    def equity(self, first, until):
        found = [(kind, lines) for _, kind, lines in self._of(first, until) if kind not in TRANSFERS]
        return equity.moves_of(self.chart, found)

    def opening(self, first, until):
        return {}

    def ahead(self, until):
        return 7


@st.composite
def books(draw, standard):
    """Balanced entries (credit less debit per account) in two years, and a transfer of profit between them."""
    chart = chart_of(standard)
    codes = sorted(each.code for each in chart.accounts if each.leaf)
    cash = cash_flow.cash_accounts(chart)
    entries = []
    for _ in range(draw(st.integers(0, 12))):
        touched = draw(st.lists(st.sampled_from(codes), min_size=1, max_size=4, unique=True))
        lines = {code: draw(st.integers(-10_000_000, 10_000_000)) for code in touched}
        last = draw(st.sampled_from([code for code in (*cash, *codes) if code not in lines]))
        lines[last] = -sum(lines.values())
        day = date(2025, 1, 1) + timedelta(days=draw(st.integers(0, 729)))
        entries.append((day, draw(st.sampled_from(KINDS)), {code: fen for code, fen in lines.items() if fen}))
    if draw(st.booleans()):
        entries.append((date(2025, 12, 31), "year_transfer", transfer(chart, entries)))
    return Book(standard, entries)


def transfer(chart, entries):
    lines = defaultdict(int)
    for day, _, moved in entries:
        for code, fen in moved.items():
            if day.year == 2025 and chart.by_code[code].type in {"income", "expense"}:
                lines[code] -= fen
                lines[chart.code("profit_distribution")] += fen
    return {code: fen for code, fen in lines.items() if fen}


def subject(kind, span, month=None, **odd):
    months = {Span.MONTH: date(2026, 5, 1), Span.QUARTER: date(2026, 9, 1), Span.HALF_YEAR: date(2026, 6, 1), Span.YEAR: date(2026, 12, 1)}  # fmt: skip
    return Subject(kind=kind, span=span, month=month or months[span], version=1, company=COMPANY, **odd)


def amounts(content, column):
    return {line["line"]: line["amounts"][column] for line in content["lines"]}


@pytest.mark.requirement("F2", "F17")
@pytest.mark.parametrize("span", list(Span))
@pytest.mark.parametrize("standard", list(Standard))
@given(data=st.data())
@settings(max_examples=25, deadline=None)
def test_whatever_was_booked_every_statement_adds_up(standard, span, data):
    book = data.draw(books(standard))
    for kind in Kind:
        if not is_kept(standard, kind, span):
            continue
        asked = subject(kind, span)
        content = content_of(book, asked)
        for column in (each["column"] for each in content["columns"]):
            adds_up(book, asked, kind, column, amounts(content, column))
        assert digest(content_of(book, subject_of(content))) == digest(content)


def adds_up(book, asked, kind, column, lines):
    spans = {
        "period": (asked.first, asked.until),
        "year_to_date": (asked.year, asked.until),
        "prior": (asked.first.replace(year=2025), asked.until.replace(year=asked.until.year - 1)),
    }
    if kind is Kind.BALANCE:
        assert lines["total_assets"] == lines["total_liabilities_and_equity"]
        day = {"end": asked.until, "year_begin": asked.year}[column]
        assert lines["cash"] == held(book, day)
    elif kind is Kind.INCOME:
        assert lines["net_profit"] == equity.profit_of(book.chart, book.movements(*spans[column]))
    elif kind is Kind.CASHFLOW:
        first, until = spans[column]
        assert lines["opening_cash"] == held(book, first)
        assert lines["closing_cash"] == held(book, until)
        assert lines["net_increase"] == held(book, until) - held(book, first)
    else:
        component = column.removeprefix("prior_")
        year = asked.first.replace(year=2025) if column.startswith("prior_") else asked.first
        closing = equity.components(book.chart, book.balances(year.replace(year=year.year + 1)))
        assert lines["year_end"] == (
            sum(closing.values()) if component == "total" else closing.get(component, 0)
        )


def held(book, day):
    sums = book.balances(day)
    return sum(sums.get(code, 0) for code in cash_flow.cash_accounts(book.chart))


@pytest.mark.requirement("F17")
@pytest.mark.parametrize("standard", list(Standard))
def test_every_account_and_every_flow_has_one_line_and_rows_are_numbered_without_a_gap(standard):
    chart = chart_of(standard)
    for kind in (kind for kind in Kind if is_kept(standard, kind, Span.YEAR)):
        form = form_of(standard, kind, DAY)
        assert [line.row for line in form.lines] == list(range(1, len(form.lines) + 1))
        assert len({line.line for line in form.lines}) == len(form.lines)
        summed = [part.removeprefix("-") for line in form.lines for part in line.sum]
        assert set(summed) <= {line.line for line in form.lines}
        if kind is Kind.CASHFLOW:
            assert sorted(flow for line in form.lines for flow in line.flows) == sorted(FLOWS)
        for account in (each for each in chart.accounts if each.leaf):
            if kind is Kind.BALANCE:
                assert line_of(form, account)
            if kind is Kind.INCOME and account.type in {"income", "expense"}:
                assert line_of(form, account) or account.meaning == "prior_year_adjustment"


@pytest.mark.requirement("F17")
def test_the_forms_of_small_enterprises_have_the_rows_of_the_law():
    codes = [form_of(Standard.SMALL, kind, DAY) for kind in (Kind.BALANCE, Kind.INCOME, Kind.CASHFLOW)]
    assert [(form.code, len(form.lines)) for form in codes] == [("会小企01表", 53), ("会小企02表", 32), ("会小企03表", 22)]  # fmt: skip
    rows = {line.line: line.row for form in codes for line in form.lines}
    assert (rows["total_assets"], rows["total_liabilities"], rows["net_profit"], rows["operating_net"]) == (30, 47, 32, 7)  # fmt: skip


# --- cash flows -------------------------------------------------------------------------------------

CAS = chart_of(Standard.CAS)


def flows_of(*entries):
    movements = movements_of(CAS, entries)
    found = cash_flow.classified(CAS, movements, {})
    return {flow: fen for flow, fen in found.flows.items() if fen}, found.unclassified


def booked(kind="manual", **fen):
    return kind, {CAS.code(meaning): amount for meaning, amount in fen.items()}


@pytest.mark.requirement("F17")
@pytest.mark.parametrize(
    ("entry", "flows"),
    [
        (booked("sale", wechat_clearing=-1130, receivables=-20, revenue=1000, output_vat=150), {"sales_received": 1130}),
        (booked("refund_paid", wechat_clearing=30, refunds_payable=-30), {"sales_received": -30}),
        (booked(inventory=-100, input_vat=-13, bank=60, payables=53), {"goods_paid": -60}),
        (booked(fixed_assets=-100, input_vat=-13, bank=113), {"long_assets_bought": -113}),
        (booked(selling_rent=-100, input_vat=-9, bank=60, payables=49), {"other_operating_paid": -60}),
        (booked(fixed_assets_disposal=20, output_vat=3, bank=-23), {"long_assets_disposed": 23}),
        (booked(input_vat=13, bank=-13), {"goods_paid": 13}),
        (booked(wages_payable=-100, bank=80, personal_tax_payable=20), {"employees_paid": -80}),
        (booked(vat_unpaid=-70, city_tax_payable=-5, bank=75), {"taxes_paid": -75}),
        (booked(bank=-9, income_tax_payable=9), {"tax_refunded": 9}),
        (booked(selling_rent=-50, bank=50), {"other_operating_paid": -50}),
        (booked(fixed_assets=-100, bank=30, payables=70), {"long_assets_bought": -30}),
        (booked(bank=-500, short_term_loans=500), {"borrowed": 500}),
        (booked(short_term_loans=-500, interest_payable=-5, bank=505), {"debt_repaid": -500, "interest_paid": -5}),
        (booked(dividends_payable=-40, bank=40), {"profit_distributed": -40}),
        (booked(bank=-900, capital=900), {"capital_received": 900}),
        (booked("bank_direct", financial_expenses=-2, bank=2), {"other_operating_paid": -2}),
        (booked("bank_transit", bank=-70, cash_in_transit=70), {}),
        (booked("bank_settlement", bank=-98, financial_expenses=-2, card_clearing=100), {"other_operating_paid": -2}),
        (booked("reversal", selling_rent=50, bank=-50), {"other_operating_paid": 50}),
        (booked("payment_reversal", bank=50, receivables=-50), {"sales_received": -50}),
        (booked(revenue=50, receivables=-50), {}),
    ],
)  # fmt: skip
def test_cash_is_classified_by_what_it_was_for(entry, flows):
    assert sum(entry[1].values()) == 0
    assert flows_of(entry) == (flows, [])


@pytest.mark.requirement("F17")
def test_what_no_rule_knows_is_listed_until_somebody_says_what_it_was():
    interest = booked(financial_expenses=-500, bank=500)
    flows, unclassified = flows_of(interest)
    assert flows == {"other_operating_paid": -500}
    assert unclassified == [(Movement("manual", "6603", "paid"), -500)]
    movements = movements_of(CAS, [interest])
    told = {"entry_kind": "manual", "account": "6603", "direction": "paid", "flow": "interest_paid"}
    named = cash_flow.named_of(CAS, movements, [told])
    assert named == {Movement("manual", "6603", "paid"): "interest_paid"}
    found = cash_flow.classified(CAS, movements, named)
    assert (dict(found.flows), found.unclassified) == ({"interest_paid": -500}, [])
    for wrong in ([told, told], [{**told, "account": "6601.23"}], [{**told, "flow": "luck"}]):
        with pytest.raises(ClassificationInvalid):
            cash_flow.named_of(CAS, movements, wrong)


@given(
    st.integers(1, 10**12), st.dictionaries(st.text("ab", max_size=3), st.integers(-(10**12), 10**12)), st.booleans()
)  # fmt: skip
def test_cash_is_shared_out_to_the_fen(net, others, incoming):
    sign = 1 if incoming else -1
    counters = {**others, "rest": sign * net - sum(others.values())}
    shares = cash_flow.explained(sign * net, counters)
    assert sum(shares.values()) == sign * net
    assert all(0 < fen * sign <= counters[code] * sign for code, fen in shares.items())


# --- equity -----------------------------------------------------------------------------------------


@pytest.mark.requirement("F17")
@pytest.mark.parametrize(
    ("entry", "moves"),
    [
        (booked(bank=-9, capital=5, capital_reserve=4), {"contribution": {"capital": 5, "capital_reserve": 4}}),
        (booked(profit_distribution=-3, surplus_reserve=3), {"appropriation": {"retained_earnings": -3, "surplus_reserve": 3}}),
        (booked(profit_distribution=3, surplus_reserve=-3), {"surplus_to_losses": {"retained_earnings": 3, "surplus_reserve": -3}}),
        (booked(profit_distribution=-3, dividends_payable=3), {"distribution": {"retained_earnings": -3}}),
        (booked(profit_distribution=-3, other_receivables=3), {"other_distribution": {"retained_earnings": -3}}),
        (booked(capital=3, capital_reserve=-3), {"reserve_to_capital": {"capital": 3, "capital_reserve": -3}}),
        (booked(capital=3, surplus_reserve=-3), {"surplus_to_capital": {"capital": 3, "surplus_reserve": -3}}),
        (booked(receivables=-3, prior_year_adjustment=3), {"error_correction": {"retained_earnings": 3}}),
        (booked(profit_distribution=3, prior_year_adjustment=-3), {}),
        (booked("reversal", profit_distribution=3, surplus_reserve=-3), {"appropriation": {"retained_earnings": 3, "surplus_reserve": -3}}),
    ],
)  # fmt: skip
def test_changes_in_equity_are_told_from_the_components_they_move(entry, moves):
    assert equity.moves_of(CAS, [entry]) == moves


# --- spans, days, persons, corrections --------------------------------------------------------------


@pytest.mark.requirement("F2")
def test_statements_are_due_by_span():
    assert due_on(Span.MONTH, date(2026, 1, 1)) == date(2026, 2, 6)
    assert due_on(Span.QUARTER, date(2026, 3, 1)) == date(2026, 4, 15)
    assert due_on(Span.HALF_YEAR, date(2026, 6, 1)) == date(2026, 8, 29)
    assert due_on(Span.YEAR, date(2026, 12, 1)) == date(2027, 4, 30)


@pytest.mark.requirement("F2")
def test_a_span_ends_with_its_last_month():
    assert first_month(Span.QUARTER, date(2026, 9, 1)) == date(2026, 7, 1)
    assert first_month(Span.YEAR, date(2026, 12, 1)) == date(2026, 1, 1)
    for span, month in ((Span.QUARTER, 8), (Span.HALF_YEAR, 12), (Span.YEAR, 6)):
        with pytest.raises(SpanMonthWrong):
            first_month(span, date(2026, month, 1))


@pytest.mark.requirement("F17")
def test_the_law_asks_for_more_of_longer_spans():
    assert required(Standard.CAS, Span.MONTH, DAY) == [Kind.BALANCE, Kind.INCOME]
    assert required(Standard.CAS, Span.YEAR, DAY) == list(Kind)
    assert required(Standard.SMALL, Span.YEAR, DAY) == [Kind.BALANCE, Kind.INCOME, Kind.CASHFLOW]
    for standard, span in ((Standard.SMALL, Span.YEAR), (Standard.CAS, Span.QUARTER)):
        with pytest.raises(StatementNotKept):
            require_kept(standard, Kind.EQUITY, span)


@pytest.mark.requirement("F17")
def test_three_sign():
    assert [each.role for each in signatures(DAY)] == ["unit_head", "chief_accountant", "accounting_head"]


@pytest.mark.requirement("F17")
def test_a_correction_goes_through_to_totals_and_to_the_year():
    book = Book(Standard.CAS, [(date(2026, 2, 3), *booked(bank=-100, revenue=100)), (date(2026, 5, 3), *booked(bank=-7, revenue=7))])  # fmt: skip
    content = content_of(book, subject(Kind.INCOME, Span.MONTH, corrections={"revenue": 9}))
    assert [amounts(content, column)["net_profit"] for column in ("period", "year_to_date")] == [9, 109]
    assert correctable(content)["revenue"] == 9
    year = content_of(book, subject(Kind.EQUITY, Span.YEAR, corrections={"shares_issued.capital": 5}))
    assert amounts(year, "capital")["year_end"] == 5
    assert (amounts(year, "total")["year_end"], amounts(year, "prior_total")["year_end"]) == (112, 0)
    assert correctable(year)["shares_issued.capital"] == 5
    sheet = content_of(book, subject(Kind.BALANCE, Span.MONTH))
    form = form_of(Standard.CAS, Kind.BALANCE, DAY)
    columns = {each["column"]: amounts(sheet, each["column"]) for each in sheet["columns"]}
    wrong = corrected(form, columns, {"cash": 1})
    with pytest.raises(StatementUnbalanced):
        require_balance(Kind.BALANCE, wrong)
    require_balance(Kind.BALANCE, corrected(form, columns, {"cash": 1, "retained_earnings": 1}))


def test_totals_do_not_depend_on_the_order_of_lines():
    form = form_of(Standard.CAS, Kind.EQUITY, DAY)
    leaves = {line.line: 1 for line in form.leaves}
    found = with_totals(form, leaves)
    assert (found["year_begin"], found["changes"], found["year_end"]) == (4, 14, 18)


# --- the company ------------------------------------------------------------------------------------


@pytest.mark.requirement("F17")
def test_the_company_is_what_the_deployment_says_on_that_day(tmp_path):
    rows = '[{"zh": "乙", "en": "B", "uscc": "91350100M000100Y43", "effective_from": "2025-01-01"}, {"zh": "甲", "en": "A", "effective_from": "2020-01-01"}]'  # fmt: skip
    file = tmp_path / "company.json"
    file.write_text(rows, encoding="utf-8")
    for environ in ({"APOTHECA_COMPANY": rows}, {"APOTHECA_COMPANY_FILE": str(file)}):
        assert [each.zh for each in companies(environ)] == ["甲", "乙"]
    assert set(company_on(date(1999, 1, 1))) == {"zh", "en", "uscc"}
    pay_nowhere = '[{"zh": "x", "en": "x", "pay_to": 3, "effective_from": "2020-01-01"}]'
    for wrong in (
        "[]",
        "{",
        '[{"zh": "x"}]',
        '[{"zh": "x", "en": "x", "effective_from": "soon"}]',
        pay_nowhere,
        "3",
    ):
        with pytest.raises(SettingsFaulty):
            companies({"APOTHECA_COMPANY": wrong})
    with pytest.raises(SettingsFaulty):
        companies({"APOTHECA_COMPANY_FILE": str(tmp_path / "none")})


@pytest.mark.requirement("F1", "F17")
def test_the_standard_and_first_day_of_new_books_come_from_settings_and_nothing_else_is_taken():
    assert new_book({}) == ("cas", date(2010, 1, 1))
    assert new_book({"APOTHECA_COMPANY_STANDARD": "", "APOTHECA_COMPANY_BOOKS_BEGIN": ""}) == new_book({})
    small = {"APOTHECA_COMPANY_STANDARD": "small", "APOTHECA_COMPANY_BOOKS_BEGIN": "2026-01-01"}
    assert new_book(small) == ("small", date(2026, 1, 1))
    for wrong in ({"APOTHECA_COMPANY_STANDARD": "ifrs"}, {"APOTHECA_COMPANY_BOOKS_BEGIN": "soon"}):
        with pytest.raises(SettingsFaulty):
            new_book(wrong)
