"""Vouchers, the journal's numbers, months closed and opened again, the end of the year and its statements."""

from datetime import timedelta

from finance.balances import store
from finance.closing.commands import reopen
from finance.closing.commands.close import close_period
from finance.vouchers import commands as books
from finance.vouchers.schemas import VoucherBody
from shared import chain
from shared.clock import next_month
from tests.support import quiet, statements
from tests.support.finance_builders import money
from tests.support.year import bank, goods
from tests.support.year.desk import BRANCHES, MONTHS, YEAR, last_day, moment

EXPENSES = ("6601.23", "6602", "6603")


def write_vouchers(year, month):
    for _ in range(3):
        voucher(year, year.day(month), approved=year.chance.random() < 0.8)
    entries = year.rows(
        "select id from journal_entries where kind = 'manual' and id not in (select entry_id from reversals)"
        " order by id"
    )
    if entries and year.fifty_fifty():
        at = moment(last_day(month), 12)
        year.do(at, "finance_head", books.reverse, year.chance.choice(entries)[0], "记错")


def voucher(year, day, *, approved):
    fen = year.chance.randint(1, 10**7)
    spent, paid = year.chance.choice(EXPENSES), year.chance.choice(("1002", "2202"))
    body = {
        "booked_on": str(day),
        "branch_id": year.chance.choice(BRANCHES),
        "summary": "费用",
        "lines": [{"account": spent, "debit": money(fen)}, {"account": paid, "credit": money(fen)}],
    }
    at = moment(last_day(day.replace(day=1)), 11)
    voucher_id = year.do(at, "accountant", books.draft, VoucherBody().load(body))
    year.do(at, "finance_head", books.decide, voucher_id, approved=approved, reason="重复")


def seal_some(year):
    with year.office.database.begin() as conn:
        chain.seal(conn, store.CHAIN, limit=year.chance.choice((1, 700, 1_500, 5_000)))


def close_until(year, month, at):
    """Every open month up to this one: costed, reconciled as it is now, sealed, closed."""
    for [each] in year.rows("select month from periods where state = 'open' and month <= :month order by 1", month=month):  # fmt: skip
        close(year, each, at)


def close(year, month, at):
    goods.cost_all(year, month, at)
    if month == MONTHS[-1]:
        year.do(at, "finance_head", books.transfer_year, YEAR)
    bank.still_reconciled(year.bank, month, at)
    year.office.seal()
    year.do(at, "finance_head", close_period, month, quiet.hear(year.office.database))


def open_again(year, at):
    """The last closed month: a voucher was forgotten. A statement of it that nobody has seen yet goes stale."""
    [[month]] = year.rows("select max(month) from periods where state = 'soft_closed'")
    stated = statements.prepared(year.office, "balance", f"{month:%Y-%m}")["statement_id"]
    asked = year.do(at, "accountant", reopen.request_reopening, month, "漏记一张")
    for role in ("finance_head", "management"):
        year.do(at, role, reopen.decide_reopening, month, asked, approved=True, reason=None)
    voucher(year, year.day(month), approved=True)
    close(year, month, at)
    stale = year.office.post(f"/v1/financial-statements/{stated}/review", role="finance_head")
    assert (stale.status_code, stale.json["code"]) == (409, "statement_stale")
    path = f"/v1/financial-statements/{stated}/withdraw"
    assert year.office.post(path, {"reason": "重开"}, role="accountant").status_code == 200


def is_stated_and_proved(year, month, span, *kinds):
    """Every statement adds up (or nothing would be frozen) and is made anew from the journal's lines."""
    for kind in kinds:
        made = statements.prepared(year.office, kind, f"{month:%Y-%m}", span)
        proved = statements.proof(year.office, made["statement_id"])
        assert (proved["agrees"], proved["differences"]) == (True, []), (kind, month)


def end_the_year(year):
    at = moment(next_month(MONTHS[-1]) + timedelta(days=8))
    close_until(year, MONTHS[-1], at)
