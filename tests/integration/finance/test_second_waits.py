"""Of two who decide the same at the same moment the second waits, sees what the first did, and is refused.

No race is left to luck: the first has acted and not committed when the second begins, each on a connection of its own.
"""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from finance.app import SERVICE
from finance.budgets import commands as budgets
from finance.cash import commands as cash
from finance.cash.model import Pieces
from finance.cash.rules import Outcome
from finance.costs.commands import alerts
from finance.expenses.commands import drafting
from finance.kernel.statement import Kind, Span
from finance.prices import commands
from finance.prices.tables import price_rules
from finance.receivables.commands import payments as receivables
from finance.receivables.commands import write_offs
from finance.refunds.commands import paying
from finance.refunds.commands import steps as refunds
from finance.refunds.rules import Payment
from finance.sample_issues import commands as sample_issues
from finance.samples import commands as samples
from finance.samples.model import Asked
from finance.statements import commands as statements
from finance.vouchers import commands as books
from shared.clock import business_date, next_month, utc_now
from tests.support import debtors, refunding
from tests.support.expenses_builders import Desk, a_branch, an_item
from tests.support.finance_builders import a_line, money
from tests.support.ordering import SalesDesk, a_price_rule
from tests.support.redeeming import earned, taken
from tests.support.waiting import acts, alone, the_second_waits

TODAY = business_date(utc_now())


@pytest.mark.requirement("F4")
def test_a_difference_of_cash_is_resolved_once(office):
    branch = a_branch()
    counted = [Pieces(100, 5)]
    found = alone(office, acts("finance_auditor", cash.surprise_count, branch, None, counted))

    def resolves(person):
        outcome = (found.count_id, Outcome.INCOME, None, "数过")
        return acts("finance_auditor", cash.resolve, *outcome, person=person)

    assert the_second_waits(office, resolves("an-auditor"), resolves("another")) == "cash_variance_resolved"
    booked = (
        "select count(*) from journal_entries where kind = 'cash_variance_resolved' and branch_id = :branch"
    )
    assert office.value(booked, branch=branch) == 1


@pytest.mark.requirement("F20")
def test_a_budget_is_not_cut_below_what_a_claim_is_reserving(office):
    desk, branch = Desk(office), a_branch()
    budget = UUID(desk.budget(branch, 20_000))
    claim = UUID(desk.draft(branch, an_item())["claim_id"])
    submits = acts("salesperson", drafting.submit, claim, person="sally")
    cuts = acts("finance_head", budgets.change, budget, 5_000, "stop")
    assert the_second_waits(office, submits, cuts) == "budget_below_use"
    assert desk.counters(str(budget)) == (10_000, 0)


@pytest.mark.requirement("F12")
def test_a_price_that_is_being_approved_is_not_rejected(office):
    rule = UUID(SalesDesk(office).done("/price-rules", a_price_rule("P-once"), "business_head")["rule_id"])
    approves = acts("finance_head", commands.decide, price_rules, rule, approved=True, reason=None)
    rejects = acts(
        "finance_head", commands.decide, price_rules, rule, approved=False, reason="太低", person="b"
    )
    assert the_second_waits(office, approves, rejects) == "price_rule_decided"


@pytest.mark.requirement("F13")
def test_a_payment_bounces_once(office):
    customer = debtors.a_debtor(office)
    payment = UUID(debtors.pay(office, customer, 5_000).json["payment_id"])
    bounces = acts("finance_head", receivables.reverse_payment, payment, "退票")
    assert the_second_waits(office, bounces, bounces) == "payment_reversed_before"
    assert debtors.agrees(office)


@pytest.mark.requirement("F16")
def test_a_debt_is_written_off_once(office):
    customer = debtors.a_debtor(office)
    debtors.sell_on_credit(office, customer)
    [item] = debtors.items_of(office, customer)
    asked = alone(
        office, acts("accountant", write_offs.request_write_off, UUID(item["item_id"]), None, "破产")
    )

    def decides(role, person=None):
        return acts(role, write_offs.decide_write_off, asked, approved=True, reason=None, person=person)

    alone(office, decides("finance_head"))
    assert (
        the_second_waits(office, decides("management"), decides("management", "b"))
        == "approval_already_decided"
    )
    assert debtors.agrees(office)


@pytest.mark.requirement("F22")
def test_a_refund_that_is_being_held_is_not_paid(office):
    sale = office.sell(sold_at=utc_now().isoformat(), lines=[a_line(quantity=1, expiry="2099-12-31")])
    [line] = sale["lines"]
    part = (0, 1, "restock", line["net"]["fen"], line["tax"]["fen"], 0)
    [refund] = refunding.told(office, office.settled(sale, [part]))
    refunding.approve(office, refund)
    pays = acts("accountant", paying.pay, UUID(refund), [Payment(tender="wechat", reference="W-1")])
    holds = acts("finance_auditor", refunds.hold, UUID(refund), "问清楚")
    assert the_second_waits(office, holds, pays) == "refund_step_not_awaited"
    assert refunding.refund(office, refund)["state"] == "held"


@pytest.mark.requirement("F5")
def test_points_taken_back_while_they_are_being_earned_leave_the_liability(office):
    sale = str(uuid4())

    def hears(envelope):
        return acts("accountant", lambda tx: SERVICE.handle(tx, [envelope]))

    assert the_second_waits(office, hears(earned(office, sale, 100)), hears(taken(office, sale, 40))) is None
    booked = "select kind, total_fen from journal_entries where kind like 'points%' order by id"
    [(_, whole), (kind, part)] = office.rows(booked)
    assert (kind, part * 100) == ("points_taken_back", whole * 40)


def a_sample(**odd):
    return Asked(
        **{
            "branch_id": a_branch(),
            "kind": "packaging",
            "recipient": "internal",
            "customer_id": None,
            "purpose": "training",
            "product_id": "P-1",
            "generic_name": "纸盒",
            "category": None,
            "lot": "L1",
            "expiry": None,
            "quantity": 300,
            "tax_bp": None,
            "reason": "培训",
            **odd,
        }
    )


@pytest.mark.requirement("F25")
def test_a_person_asks_in_two_branches_at_once_for_no_more_than_the_limit(office):
    asks = [acts("salesperson", samples.request, a_sample(), person="greta") for _ in range(2)]
    assert the_second_waits(office, *asks) == "sample_limit_exceeded"


@pytest.mark.requirement("F25")
def test_a_sample_is_handed_out_once(office):
    sample = alone(office, acts("salesperson", samples.request, a_sample(quantity=1)))
    alone(office, acts("qa", samples.decide, sample, approved=True, reason=None))
    issues = acts("storekeeper", sample_issues.issue, sample)
    assert the_second_waits(office, issues, issues) == "sample_state_wrong"


@pytest.mark.requirement("F1", "X1")
def test_a_voucher_is_decided_once(office):
    lines = [{"account": "6602", "debit": money(100)}, {"account": "2202", "credit": money(100)}]
    body = {"booked_on": str(TODAY), "branch_id": a_branch(), "summary": "费用", "lines": lines}
    voucher = office.post("/v1/vouchers", body, role="accountant").json["voucher_id"]

    def decides(person, *, approved):
        return acts(
            "finance_head", books.decide, UUID(voucher), approved=approved, reason="重复", person=person
        )

    assert (
        the_second_waits(office, decides("a", approved=True), decides("b", approved=False))
        == "voucher_decided"
    )


@pytest.mark.requirement("F14")
def test_a_statement_that_is_being_withdrawn_is_not_reviewed(office):
    month = (TODAY.replace(day=1) - timedelta(days=1)).replace(day=1)
    office.seal()
    each = office.value("select min(month) from periods")
    while each <= month:
        answer = office.post(f"/v1/periods/{each:%Y-%m}/close", role="finance_head")
        assert answer.status_code == 200, answer.json
        each = next_month(each)
    made = alone(office, acts("accountant", statements.prepare, Kind.BALANCE, Span.MONTH, month))
    withdraws = acts("accountant", statements.withdraw, made, "错了")
    reviews = acts("finance_head", statements.review, made)
    assert the_second_waits(office, withdraws, reviews) == "statement_not_ready"


@pytest.mark.requirement("F5")
def test_a_sale_below_cost_is_acknowledged_once(office):
    sale = office.sell(
        sold_at=utc_now().isoformat(),
        lines=[a_line(quantity=1, unit_price=money(100), discount=money(0), expiry="2099-12-31")],
    )
    line_id = UUID(sale["lines"][0]["line_id"])
    with office.database.begin() as conn:
        conn.exec_driver_sql(
            "insert into below_cost_alerts (line_id, sale_id, branch_id, booked_on, product_id, lot, quantity, net_fen,"
            " cost_fen, basis, sold_by, found_at) select line_id, sale_id, branch_id, booked_on, product_id, lot,"
            " quantity, net_fen, cost_fen, 'till', 'the-till', now() from sale_lines where line_id = %s",
            (line_id,),
        )
    first, second = (
        acts(role, alerts.acknowledge, line_id, "清仓") for role in ("store_manager", "finance_auditor")
    )
    assert the_second_waits(office, first, second) == "below_cost_alert_acknowledged"
