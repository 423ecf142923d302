"""A small company's books, kept twice: by the product over HTTP, and on paper. Nothing may differ by a fen."""

import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from finance.kernel.statement import Kind, Span
from finance.statement_figures.queries import Folded
from finance.statement_figures.rules.content import Subject, content_of
from shared.clock import business_date, utc_now
from tests.support import company_by_hand as story
from tests.support.company_by_hand import DEC, JUN, NOV, OCT, TODAY, Company
from tests.support.debtors import agrees
from tests.support.finance_builders import CUSTOMER, Office
from tests.support.roles import behind
from tests.support.sheets import sheet_rows
from tests.support.statements import close, column, prepared, proof

SEP = "2024-09"


@pytest.fixture(scope="module", params=["cas", "small"])
def company(request, migrated_database, tmp_path_factory):
    office = Office(migrated_database("finance"), tmp_path_factory.mktemp("keys"))
    with behind(office.database) as conn:
        conn.exec_driver_sql("update books set begins_on = '2024-10-01', standard = %s", (request.param,))
    office.hear(office.permit(CUSTOMER, kind="patient"))
    made = Company(office, request.param)
    story.begin(made)
    close(office, SEP)
    for tell, month in ((story.october, OCT), (story.november, NOV), (story.december, DEC)):
        tell(made)
        if month == DEC:
            story.transfer(made)
        made.reconcile(month)
        close(office, month)
    story.june(made)
    for month in (f"2025-0{month}" for month in range(1, 7)):
        made.reconcile(month)
        close(office, month)
    yield made
    office.close()


@pytest.mark.requirement("F1", "F2", "F15")
@pytest.mark.parametrize("month", [SEP, OCT, NOV, DEC, JUN])
def test_the_trial_balance_is_the_papers(company, month):
    shown = {code: fen for code, fen in company.office.balances(month).items() if fen}
    assert shown == company.paper.trial_balance(month)


SPANS = [
    ("month", OCT, OCT, "2024-01"),
    ("month", NOV, NOV, "2024-01"),
    ("month", DEC, DEC, "2024-01"),
    ("quarter", DEC, OCT, "2024-01"),
    ("year", DEC, "2024-01", "2023-01"),
    ("half_year", JUN, "2025-01", "2024-01"),
    ("quarter", JUN, "2025-04", "2025-01"),
]
"""Span, its last month, its first, and where the column beside it begins."""


def compared(span, last, first, beside):
    """The column beside the period: the year so far, or the same span a year earlier."""
    if span in {"month", "quarter"}:
        return "year_to_date", beside, last
    return "prior", beside, f"{int(last[:4]) - 1}{last[4:]}"


def stated(company, kind, month, span, **odd):
    made = prepared(company.office, kind, month, span, **odd)
    assert proof(company.office, made["statement_id"])["agrees"]
    return made


def lines_of(made, name, expected, *also):
    """The lines the paper knows, and every other leaf line that is not nothing."""
    shown = column(made, name)
    leaves = {line["line"] for line in made["lines"] if line["leaf"]}
    return {
        line: fen
        for line, fen in shown.items()
        if line in expected or line in also or (line in leaves and fen)
    }


@pytest.mark.requirement("F2", "F17")
@pytest.mark.parametrize(("span", "last", "first", "beside"), SPANS)
def test_the_statements_are_the_papers(company, span, last, first, beside):
    paper = company.paper
    name, since, until = compared(span, last, first, beside)
    balance = stated(company, "balance", last, span)
    begin = f"{int(last[:4]) - 1}-12"
    for shown, month in (("end", last), ("year_begin", begin)):
        expected = paper.balance(month)
        assert lines_of(balance, shown, expected) == expected
        found = column(balance, shown)
        assert found["total_assets"] == found["total_liabilities"] + found["total_equity"]
    income = stated(company, "income", last, span)
    for shown, months in (("period", (first, last)), (name, (since, until))):
        expected = paper.income(*months)
        assert lines_of(income, shown, expected) == expected
    paid = {
        "entry_kind": "manual",
        "account": paper.code("6603"),
        "direction": "paid",
        "flow": "interest_paid",
    }
    has_interest = any(months[0] <= NOV <= months[1] for months in ((first, last), (since, until)))
    flows = stated(company, "cashflow", last, span, classifications=[paid] if has_interest else [])
    assert flows["unclassified"] == []
    for shown, months in (("period", (first, last)), (name, (since, until))):
        expected = paper.cash_flow(*months)
        assert lines_of(flows, shown, expected) == expected
    assert column(flows, "period")["closing_cash"] == column(balance, "end")["cash"]


@pytest.mark.requirement("F17")
def test_equity_rolls_forward_from_what_the_books_began_with(company):
    if not company.is_cas:
        return
    made = stated(company, "equity", DEC, "year")
    capital, surplus, retained, total = (
        column(made, name) for name in ("capital", "surplus_reserve", "retained_earnings", "total")
    )
    profit = company.paper.profit("2024-01", DEC)
    assert (capital["prior_year_end"], capital["year_end"]) == (120_000_00, 120_000_00)
    assert nonzero(surplus) == {
        "appropriation": 100_00,
        "distributions": 100_00,
        "changes": 100_00,
        "year_end": 100_00,
    }
    assert nonzero(retained) == {
        "prior_year_end": 12_890_00,
        "year_begin": 12_890_00,
        "comprehensive_income": profit,
        "appropriation": -100_00,
        "distribution": -50_00,
        "distributions": -150_00,
        "changes": profit - 150_00,
        "year_end": 12_890_00 + profit - 150_00,
    }
    assert total["year_end"] == company.paper.balance(DEC)["total_equity"]
    assert nonzero(column(made, "prior_total")) == {}


def nonzero(lines):
    return {line: fen for line, fen in lines.items() if fen}


def require_accepted(office, month, folder):
    file = folder / "month.beancount"
    file.write_bytes(office.get(f"/v1/journals/{month}/beancount").data)
    command = [Path(sys.executable).parent / "bean-check", file]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")


@pytest.mark.requirement("F1", "F2", "X7")
@pytest.mark.parametrize("month", [SEP, OCT, NOV, DEC, JUN])
def test_beancount_accepts_the_month_and_the_voucher_list_says_all_of_it_in_chinese(company, month, tmp_path):
    office = company.office
    require_accepted(office, month, tmp_path)
    rows = sheet_rows(office.get(f"/v1/journals/{month}/xlsx").data)
    assert [row["C"] for row in rows if row["C"].isascii()] == []
    entries = office.rows(
        "select chain_no from journal_entries where to_char(booked_on, 'YYYY-MM') = :month", month=month
    )
    assert {row["B"] for row in rows[1:-1]} == {f"记-{number}" for (number,) in entries}
    total = sum(Decimal(row["F"]) for row in rows[1:-1] if row.get("F"))
    assert total == Decimal(rows[-1]["F"]) == Decimal(rows[-1]["G"])


@pytest.mark.requirement("F1")
def test_the_vouchers_of_a_year_are_numbered_without_a_gap(company):
    for year in (2024, 2025):
        numbers = company.office.rows(
            "select chain_no from journal_entries where stream = :stream order by 1", stream=f"main-{year}"
        )
        assert [number for (number,) in numbers] == list(range(1, len(numbers) + 1))
    assert company.office.faults() == []


@pytest.mark.requirement("F16")
@pytest.mark.parametrize(
    ("day", "expected"),
    [
        ("2024-09-30", [3_390_00]),
        ("2024-10-31", [406_80, 271_20, 3_390_00]),
        ("2024-11-11", [113_000_00 + 406_80 - 500_00, 61_20]),
        ("2024-11-30", [-500_00, 113_000_00 + 242_00]),
        ("2024-12-31", [-500_00, None, 13_000_00 + 242_00]),
    ],
)
def test_the_ageing_of_a_day_in_the_past_is_what_was_open_then(company, day, expected):
    """A hospital owed 3,390.00 since August and 678.00 in two parts, less 226.00 that came back; a clinic 113,000.00 and
    interest; a third had paid 500.00 ahead."""
    answer = company.office.get(f"/v1/ageing-reports?as_of={day}").json
    shown = [each["open"]["fen"] for each in answer["buckets"] if each["open"]["fen"]]
    assert shown == [company.interest if fen is None else fen for fen in expected]
    assert agrees(company.office, as_of=day)


@pytest.mark.requirement("F15", "F24")
def test_output_vat_is_told_per_rate_and_the_books_hold_as_much(company):
    def rates(month):
        told = company.office.get(f"/v1/vat-figures?month={month}").json
        assert told["agrees"]
        names = ("sold_net", "sold_tax", "returned_net", "returned_tax")
        return {each["tax_bp"]: [each[name]["fen"] for name in names] for each in told["rates"]}

    assert rates(OCT) == {
        0: [15_00, 0, 0, 0],
        300: [30_00, 90, 0, 0],
        900: [30_00, 2_70, 0, 0],
        1300: [740_00, 96_20, 0, 0],
    }
    assert rates(NOV) == {1300: [100_010_00, 13_001_30, 200_00, 26_00]}


@pytest.mark.requirement("F1", "F4", "F13", "F18")
def test_what_happens_today_is_the_papers_too(company, tmp_path):
    story.today(company)
    shown = {code: fen for code, fen in company.office.balances(TODAY).items() if fen}
    assert shown == company.paper.trial_balance(TODAY)
    require_accepted(company.office, TODAY, tmp_path)
    month = business_date(utc_now()).replace(day=1)
    subject = Subject(kind=Kind.BALANCE, span=Span.MONTH, month=month, version=1, company={})
    with company.office.database.begin() as conn:
        made = content_of(Folded(conn), subject)
    found = {line["line"]: line["amounts"]["end"] for line in made["lines"]}
    expected = company.paper.balance(TODAY)
    assert {line: found[line] for line in expected} == expected
    assert agrees(company.office)
