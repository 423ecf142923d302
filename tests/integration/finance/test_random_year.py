"""A random year of business, a hundred thousand postings: whatever happened, the books say what happened.

Everything that finance does is done in random numbers, while months are costed, reconciled, closed and opened again
behind it and the journal is sealed piecemeal. The seed is printed; APOTHECA_TEST_SEED repeats a year, and several of
them, with commas between, are run one after the other.
"""

import os
import random

import pytest

from shared.clock import next_month
from tests.support.finance_builders import Office
from tests.support.watermarks import level_with
from tests.support.year import bank, cash, closing, debts, expenses, goods, orders, points, ties
from tests.support.year.desk import CUSTOMERS, MONTHS, Year, moment

POSTINGS = 100_000
SEEDS = [int(each) for each in os.environ.get("APOTHECA_TEST_SEED", "0").split(",")]


@pytest.fixture(params=SEEDS)
def year(request, migrated_database, tmp_path):
    seed = request.param or random.randrange(1, 10**6)
    print(f"APOTHECA_TEST_SEED={seed}")
    office = Office(migrated_database("finance"), tmp_path)
    level_with(office.database, "customers")
    yield begun(Year(office, random.Random(seed)))
    office.close()


def begun(year):
    assert year.office.hear(*(year.office.permit(customer) for customer in CUSTOMERS)).parked == 0
    year.buyers, year.contracts, year.accepted = orders.BUYERS, [], 0
    orders.begin(year)
    year.bank = bank.Bank(year)
    return year


@pytest.mark.requirement("F1", "F2", "F3", "F4", "F5", "F9", "F10", "F15", "F16", "F20", "F22", "F25", "F27")
def test_a_random_year_keeps_every_invariant(year):
    for at, month in enumerate(MONTHS):
        a_month_of_business(year, month)
        ties.everything_ties(year)
        ties.trial_balance_is_zero(year, month)
        if at >= 2 and (MONTHS[at - 2].month % 4 == 0 or year.chance.random() < 0.8):
            close_some(year, MONTHS[at - 2], moment(next_month(month), 5))
    closing.end_the_year(year)
    ties.every_figure_is_that_of_the_lines(year, MONTHS)
    ties.every_entry_balances(year)
    ties.every_ageing_is_the_ledger_of_its_day(year)
    ties.everything_ties(year)
    closing.is_stated_and_proved(year, MONTHS[-1], "year", "balance", "income", "cashflow", "equity")
    assert year.value("select count(*) from journal_lines") >= POSTINGS
    assert year.office.faults() == []
    assert {name for name in EVERYTHING if not year.happened[name]} == set()


def a_month_of_business(year, month):
    goods.buy_some(year, month)
    goods.sell(year, month)
    points.keep_points(year, month)
    orders.trade(year, month)
    goods.bring_back(year, month)
    cash.shifts(year, month)
    goods.pay_back(year, month)
    goods.give_samples(year, month)
    expenses.grant_budgets(year, month)
    expenses.spend(year, month)
    debts.collect(year, month)
    closing.write_vouchers(year, month)
    closing.seal_some(year)
    year.bank.month(month)


def close_some(year, month, at):
    closing.close_until(year, month, at)
    if month.month % 4 == 0:
        closing.open_again(year, at)
        closing.is_stated_and_proved(year, month, "month", "balance", "income", "cashflow")


EVERYTHING = {
    "bank_matching.undo",
    "cash.resolve",
    "cash.surprise_count",
    "closing.decide_reopening",
    "costs.run",
    "expenses.pay",
    "orders.end",
    "orders.reopen",
    "orders.ship",
    "receivables.charge_interest",
    "receivables.decide_write_off",
    "receivables.reverse_payment",
    "refunds.fail",
    "refunds.hold",
    "refunds.pay_all",
    "refunds.pay_from_drawer",
    "refunds.release",
    "sample_issues.issue",
}
"""Without these the year would not be what it says."""
