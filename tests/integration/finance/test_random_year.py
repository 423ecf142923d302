"""A random year of business, a hundred thousand postings: whatever happened, the books say what the lines say.

Purchases, receipts, returns, payments, points, vouchers and reversals come in random numbers while months are costed and
close behind them and the journal is sealed piecemeal. The seed is printed; APOTHECA_TEST_SEED repeats a year.
"""

import os
import random
from collections import defaultdict
from datetime import date, timedelta
from uuid import UUID, uuid4

import pytest

from finance import balances, journal
from shared import chain
from shared.clock import business_date, next_month, utc_now
from tests.support import debtors, refunding, statements
from tests.support.expenses_builders import a_goods_line, a_goods_receipt
from tests.support.finance_builders import a_line, a_receipt, money, ndjson
from tests.support.redeeming import expired, paid_with, redeemed

YEAR = business_date(utc_now()).year - 1
POSTINGS = 100_000
RECEIPTS_A_MONTH = 1_900
BRANCHES = [f"S{number:03d}" for number in range(1, 9)]
CUSTOMERS = [str(UUID(int=number)) for number in range(1, 41)]
TENDERS = ("cash", "wechat", "alipay", "card", "medical_insurance", "credit")


@pytest.fixture(scope="module")
def seed():
    chosen = int(os.environ.get("APOTHECA_TEST_SEED", "0")) or random.randrange(1, 10**6)
    print(f"APOTHECA_TEST_SEED={chosen}")
    return chosen


@pytest.mark.requirement("F1", "F2", "F4", "F5", "F15")
def test_a_random_year_keeps_every_invariant(office, seed):
    chance = random.Random(seed)
    office.hear(*(office.permit(customer) for customer in CUSTOMERS))
    months = [date(YEAR, number, 1) for number in range(1, 13)]
    for at, month in enumerate(months):
        buy_some(office, chance, month)
        trade(office, chance, month)
        return_some(office, chance, month)
        collect_some(office, chance, month)
        keep_points(office, chance, month)
        write_vouchers(office, chance, month)
        seal_some(office, chance)
        if at % 4 == 3:
            every_figure_is_that_of_the_lines(office, months[: at + 1])
            sub_ledgers_tie(office)
        if at >= 2 and chance.random() < 0.8:
            close_until(office, months[at - 2])
    end_the_year(office, months)
    every_figure_is_that_of_the_lines(office, months)
    every_entry_balances(office)
    sub_ledgers_tie(office)
    the_year_is_stated_and_proved(office, months[-1])
    assert office.value("select count(*) from journal_lines") >= POSTINGS
    assert office.faults() == []


def buy_some(office, chance, month):
    """Goods come in for a part of what is sold; the rest keeps the cost of the till."""
    for branch in chance.sample(BRANCHES, 3):
        line = a_goods_line(quantity=chance.randint(1, 900), unit_price=money(chance.randint(50, 9_000)))
        body = a_goods_receipt(branch, line, received_on=str(month + timedelta(days=chance.randrange(28))))
        assert office.post("/v1/goods-receipts", body, role="accountant").status_code == 201


def cost_all(office, month):
    for branch in BRANCHES:
        body = {"branch_id": branch, "month": f"{month}"}
        answer = office.post("/v1/cost-runs", body, role="accountant")
        assert answer.status_code == 201 or answer.json["code"] == "cost_nothing_purchased", answer.json


def trade(office, chance, month):
    """A month of receipts; some are uploads for a month that has closed meanwhile, marked late."""
    days = (next_month(month) - month).days
    receipts = []
    for _ in range(RECEIPTS_A_MONTH):
        day = month + timedelta(days=chance.randrange(days))
        if chance.random() < 0.003 and month.month > 4:
            day -= timedelta(days=100)
        receipts.append(a_random_receipt(chance, day))
    results = office.results(ndjson(receipts))
    assert {each["status"] for each in results} == {"posted"}


def a_random_receipt(chance, day):
    lines = [
        a_line(
            quantity=chance.randint(1, 5),
            unit_price=money(chance.randint(50, 30_000)),
            discount=money(chance.randint(0, 40)),
            cost=money(chance.randint(0, 20_000)),
            tax_bp=chance.choice((0, 300, 900, 1300)),
            expiry="2099-12-31",
        )
        for _ in range(chance.randint(1, 3))
    ]
    total = sum(line["quantity"] * line["unit_price"]["fen"] - line["discount"]["fen"] for line in lines)
    names = chance.sample(TENDERS, chance.choice((1, 1, 1, 2)))
    first = chance.randint(1, total - 1) if len(names) == 2 else total
    amounts = [first, total - first][: len(names)]
    on_credit = "credit" in names
    return a_receipt(
        branch_id=chance.choice(BRANCHES),
        sold_at=f"{day}T{chance.randint(1, 12):02d}:00:00Z",
        late=True,
        lines=lines,
        customer_id=chance.choice(CUSTOMERS) if on_credit or chance.random() < 0.3 else None,
        tenders=[{"tender": name, "amount": money(fen)} for name, fen in zip(names, amounts, strict=True)],
    )


def return_some(office, chance, month):
    sales = office.rows(
        "select s.sale_id::text, l.line_id::text, l.quantity, l.net_fen, l.tax_fen, l.cost_fen, s.branch_id"
        " from sales s join sale_lines l using (sale_id) where l.no = 1"
        " and s.sale_id not in (select sale_id from refunds) order by s.sale_id limit 4000"
    )
    told = []
    for sale_id, line_id, quantity, net, tax, cost, branch in chance.sample(sales, 25):
        sale = {"sale_id": sale_id, "lines": [{"line_id": line_id}]}
        disposition = chance.choice(("restock", "destroy"))
        day = month + timedelta(days=chance.randrange(28))
        part = (0, quantity, disposition, net, tax, cost)
        told.append(office.settled(sale, [part], settled_on=str(day), branch_id=branch))
    refunds = refunding.told(office, *told)
    refunding.approve(office, *refunds[:15])  # the rest stay owed
    wanted = [(each, refunding.parts_of(refunding.refund(office, each))) for each in refunds[:12]]
    body = {"payments": [{"refund_id": each, "parts": parts} for each, parts in wanted if parts]}
    body["paid_on"] = str(month + timedelta(days=27))
    assert office.post("/v1/refunds/payments", body, role="accountant").status_code == 200


def collect_some(office, chance, month):
    """Customers pay what they owe, or more, or less; some of it bounces."""
    for customer in chance.sample(CUSTOMERS, 8):
        paid = debtors.pay(
            office,
            customer,
            chance.randint(1, 3 * 10**6),
            branch_id=chance.choice(BRANCHES),
            tender=chance.choice(("bank", "acceptance_bill")),
            received_on=str(month + timedelta(days=chance.randrange(28))),
            oldest_first=chance.random() < 0.8,
        )
        assert paid.status_code == 201, paid.json
        if chance.random() < 0.2:
            path = f"/v1/payments/{paid.json['payment_id']}/reverse"
            assert office.post(path, {"reason": "退票"}, role="finance_head").status_code == 200


def keep_points(office, chance, month):
    told, paid = [], []
    for _ in range(40):
        sale, branch, points = str(uuid4()), chance.choice(BRANCHES), chance.randint(1, 900)
        data = {"branch_id": branch, "sale_id": sale, "points": points}
        told.append(office.envelope("customers.points.earned.v1", data))
        if chance.random() < 0.3:
            back = {**data, "return_id": str(uuid4()), "points": chance.randint(0, points)}
            told.append(office.envelope("customers.points.taken_back.v1", back))
        elif chance.random() < 0.2:
            told.append(expired(office, (sale, chance.randint(1, points)), branch=branch))
        elif chance.random() < 0.2:
            redemption = redeemed(office, (sale, points), value=points * chance.choice((1, 2)))
            told.append(redemption)
            day = f"{month + timedelta(days=chance.randrange(28))}T03:00:00Z"
            paid.append(paid_with(redemption, cash=chance.randint(0, 5_000), sold_at=day))
    chance.shuffle(told)
    assert office.hear(*told).parked == 0
    for receipt in paid:
        receipt["lines"][0]["expiry"] = "2099-12-31"
        assert office.post("/v1/sales", receipt).status_code == 201


def write_vouchers(office, chance, month):
    for _ in range(3):
        fen = chance.randint(1, 10**7)
        lines = [{"account": chance.choice(("6601.23", "6602", "6603")), "debit": money(fen)}]
        lines.append({"account": chance.choice(("1002", "2202")), "credit": money(fen)})
        body = {
            "booked_on": str(month + timedelta(days=chance.randrange(28))),
            "branch_id": chance.choice(BRANCHES),
            "summary": "费用",
            "lines": lines,
        }
        made = office.post("/v1/journal/entries", body, role="accountant").json
        approved = chance.random() < 0.8
        answer = office.post(
            f"/v1/journal/entries/{made['voucher_id']}/decision",
            {"approved": approved, "reason": "重复"},
            role="finance_head",
        )
        assert answer.status_code == 200, answer.json
    if chance.random() < 0.5:
        entries = office.rows(
            "select id from journal_entries where kind = 'manual' and id not in (select entry_id from reversals)"
            " order by id"
        )
        if entries:
            [entry_id] = chance.choice(entries)
            path = f"/v1/journal/entries/{entry_id}/reversal"
            assert office.post(path, {"reason": "记错"}, role="finance_head").status_code == 201


def seal_some(office, chance):
    with office.database.begin() as conn:
        chain.seal(conn, journal.CHAIN, limit=chance.choice((1, 700, 1_500, 5_000)))


def close_until(office, month):
    for each in office.get("/v1/periods").json["items"]:
        if each["state"] == "open" and each["month"] <= f"{month:%Y-%m}":
            cost_all(office, each["month"])
            office.seal()
            answer = office.post(f"/v1/periods/{each['month']}/close", role="finance_head")
            assert answer.status_code == 200, answer.json


def end_the_year(office, months):
    close_until(office, months[-2])
    cost_all(office, f"{months[-1]:%Y-%m}")
    answer = office.post(f"/v1/ledger/years/{YEAR}/transfer", role="finance_head")
    assert answer.status_code == 201, answer.json
    close_until(office, months[-1])


def the_year_is_stated_and_proved(office, december):
    """Every statement of the year adds up (or nothing would be frozen) and is made anew from the journal's lines."""
    for kind in ("balance", "income", "cashflow", "equity"):
        made = statements.prepared(office, kind, f"{december:%Y-%m}", "year")
        proved = statements.proof(office, made["statement_id"])
        assert (proved["agrees"], proved["differences"]) == (True, [])


def every_figure_is_that_of_the_lines(office, months):
    """The trial balance of each month, per branch and in all, computed anew by the most tedious way there is."""
    moved = defaultdict(lambda: [0, 0])
    for month, branch, account, debit, credit in office.rows(
        "select date_trunc('month', booked_on)::date, branch_id, account, sum(debit_fen)::bigint,"
        " sum(credit_fen)::bigint from journal_lines group by 1, 2, 3"
    ):
        moved[month, branch, account] = [debit, credit]
    for month in months:
        for branch in (None, BRANCHES[month.month % len(BRANCHES)]):
            expected = defaultdict(lambda: [0, 0, 0])
            for (when, where, account), (debit, credit) in moved.items():
                if branch not in {None, where} or when > month:
                    continue
                if when < month:
                    expected[account][0] += debit - credit
                else:
                    expected[account][1] += debit
                    expected[account][2] += credit
            with office.database.read() as conn:
                found = balances.accounts(
                    conn, month, next_month(month), None if branch is None else [branch]
                )
            assert {code: list(each) for code, each in found.items()} == expected, (month, branch)
            assert sum(each.debit_fen for each in found.values()) == sum(
                each.credit_fen for each in found.values()
            )


def every_entry_balances(office):
    wrong = office.value(
        "select count(*) from (select e.id from journal_entries e left join journal_lines l on l.entry_id = e.id"
        " and l.booked_on = e.booked_on group by e.id, e.total_fen having sum(debit_fen) is distinct from"
        " sum(credit_fen) or sum(debit_fen) <> e.total_fen) x"
    )
    assert wrong == 0
    gaps = office.rows(
        "select stream from journal_entries group by stream"
        " having min(chain_no) <> 1 or max(chain_no) <> count(chain_no) or count(distinct chain_no) <> count(chain_no)"
    )
    assert gaps == []


def sub_ledgers_tie(office):
    def booked(account):
        with office.database.read() as conn:
            return balances.balance(conn, account, None, until=date(9999, 1, 1))

    assert booked("1122") == office.value("select sum(open_fen)::bigint from receivable_items")
    paid = office.value("select coalesce(sum(amount_fen), 0)::bigint from payments where reversed_on is null")
    assert booked("1122") == tendered(office, "credit") - paid
    assert office.value("select count(*) from receivable_allocations") > 0
    parted = office.rows(
        "select customer_id from (select customer_id, debit_fen - credit_fen as fen from journal_lines"
        " where account = '1122' union all select customer_id, -open_fen from receivable_items) x"
        " group by customer_id having sum(fen) <> 0"
    )
    assert parted == []
    assert booked("1001") == tendered(office, "cash")
    assert -booked("2204") == office.value(
        "select sum(fen_per_point * (points"
        " - coalesce((select sum(points) from points_taken_back t where t.sale_id = e.sale_id), 0)"
        " - coalesce((select sum(points) from points_expired x where x.sale_id = e.sale_id), 0)"
        " - coalesce((select sum(l.points - l.given_back) from points_redemption_lots l"
        "   join points_uses using (redemption_id) where l.sale_id = e.sale_id), 0)))::bigint from points_earned e"
    )
    parted = office.rows(
        "select * from lot_stock s full join (select branch_id, product_id, lot, sum(quantity) as moved, sum(value_fen)"
        " as worth from stock_moves group by branch_id, product_id, lot) m using (branch_id, product_id, lot)"
        " where quantity is distinct from moved or value_fen is distinct from worth or quantity < 0"
        " or (quantity = 0 and value_fen <> 0)"
    )
    assert parted == []
    owed = office.get("/v1/refunds/liabilities").json
    assert owed["agrees"]
    assert -booked("2241.01") == owed["unpaid"]["fen"] > 0


def tendered(office, tender):
    """What customers gave in this tender less what refunds gave back."""
    return office.value(
        "select (select sum(fen) from tenders where tender = :tender)::bigint"
        " - (select coalesce(sum(fen), 0) from refund_payments where tender = :tender)::bigint",
        tender=tender,
    )
