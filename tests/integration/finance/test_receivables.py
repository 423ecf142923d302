"""What customers owe, on real PostgreSQL: Σ open items is the balance of 1122 at every instant."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from finance.open_items.jobs import tell_opened
from finance.receivables import jobs
from shared.clock import utc_now
from tests.support import refunding
from tests.support.debtors import (
    BRANCHES,
    TODAY,
    a_debtor,
    agrees,
    days_ago,
    items_of,
    pay,
    run,
    sell_on_credit,
    told,
)
from tests.support.finance_builders import a_line, a_receipt, money, ndjson
from tests.support.roles import behind
from tests.support.watermarks import level_with


@pytest.fixture(scope="module")
def debtor(office):
    return lambda kind="hospital": a_debtor(office, kind)


# --- items ------------------------------------------------------------------------------------------


@pytest.mark.requirement("F13", "F15")
def test_a_sale_on_credit_leaves_an_item_due_by_the_terms(office, debtor):
    customer = debtor()
    sale = sell_on_credit(office, customer, 8_000, on=days_ago(10), cash=2_000)
    [item] = items_of(office, customer)
    assert (item["amount"], item["open"], item["state"], item["kind"]) == (
        money(8_000),
        money(8_000),
        "open",
        "sale",
    )
    assert (item["source_id"], item["due_on"]) == (sale["sale_id"], str(days_ago(10) + timedelta(days=30)))
    assert agrees(office)


@pytest.mark.requirement("F13")
def test_terms_of_a_customer_make_instalments_that_lose_no_fen(office, debtor):
    customer = debtor()
    body = {
        "customer_id": customer,
        "effective_from": str(days_ago(50)),
        "instalments": [
            {"days": 0, "share_bp": 3333},
            {"days": 30, "share_bp": 3333},
            {"days": 60, "share_bp": 3334},
        ],
    }
    assert office.post("/v1/credit-terms", body, role="finance_head").status_code == 201
    again = office.post("/v1/credit-terms", body, role="finance_head")
    assert again.json["code"] == "credit_terms_taken"
    wrong = office.post(
        "/v1/credit-terms", body | {"instalments": [{"days": 1, "share_bp": 1}]}, role="finance_head"
    )
    assert (wrong.status_code, wrong.json["code"]) == (422, "instalments_invalid")
    sell_on_credit(office, customer, 100, on=days_ago(60))
    sell_on_credit(office, customer, 10_001, on=days_ago(50))
    receipt = a_receipt(
        customer_id=customer,
        sold_at=utc_now().isoformat(),
        lines=[a_line(quantity=1, unit_price=money(2), discount=money(0), expiry="2099-12-31")],
        tenders=[{"tender": "credit", "amount": money(2)}],
    )
    assert [each["state"] for each in office.results(ndjson([receipt, a_receipt()]))] == ["posted", "posted"]
    found = [
        (each["booked_on"], each["due_on"], each["amount"]["fen"]) for each in items_of(office, customer)
    ]
    assert sorted(found) == sorted(
        [
            (str(days_ago(60)), str(days_ago(30)), 100),  # before the terms: the default of the house
            (str(days_ago(50)), str(days_ago(50)), 3333),
            (str(days_ago(50)), str(days_ago(20)), 3333),
            (str(days_ago(50)), str(days_ago(-10)), 3335),
            (str(TODAY), str(TODAY + timedelta(days=30)), 1),  # cut at cumulated sums: 0, 1, 1
            (str(TODAY), str(TODAY + timedelta(days=60)), 1),
        ]
    )
    assert agrees(office)
    assert len(office.get(f"/v1/credit-terms?customer_id={customer}").json["items"]) == 1


@pytest.mark.requirement("F22")
def test_a_refund_to_credit_lowers_the_debt_and_what_is_left_over_stays_a_credit(office, debtor):
    customer = debtor()
    whole = (0, 2, "restock", 3451, 449, 2300)
    sale = office.sell(customer_id=customer, tenders=[{"tender": "credit", "amount": money(3900)}])
    [debt] = items_of(office, customer)
    assert (
        pay(
            office, customer, 3000, allocations=[{"item_id": debt["item_id"], "amount": money(3000)}]
        ).status_code
        == 201
    )
    refunding.pay_all(office, *refunding.told(office, office.settled(sale, [whole])), paid_on=TODAY)
    [debt], [credit] = items_of(office, customer, "sale"), items_of(office, customer, "credit_note")
    assert (debt["open"]["fen"], credit["open"]["fen"]) == (0, -3000)
    assert debt["state"] == "settled"
    assert agrees(office)
    assert agrees(office, "2026-03-05")


# --- payments and allocation ------------------------------------------------------------------------


@pytest.mark.requirement("F13", "F15", "F21")
def test_a_payment_is_booked_once_and_its_allocation_books_nothing(office, debtor):
    customer = debtor()
    sell_on_credit(office, customer, 5_000, on=days_ago(40))
    sell_on_credit(office, customer, 7_000, on=days_ago(20))
    answer = pay(office, customer, 6_000, received_on=str(days_ago(3)), oldest_first=True)
    assert answer.status_code == 201, answer.json
    payment = answer.json
    assert sorted(each["amount"]["fen"] for each in payment["allocations"]) == [1_000, 5_000]
    assert payment["unallocated"] == money(0)
    entries = office.rows(
        "select e.kind, l.account, l.debit_fen, l.credit_fen, l.customer_id::text from journal_entries e join"
        " journal_lines l on l.entry_id = e.id where e.source_id = cast(:id as uuid) order by l.no",
        id=payment["payment_id"],
    )
    assert entries == [("payment", "1002", 6_000, 0, None), ("payment", "1122", 0, 6_000, customer)]
    first, second = items_of(office, customer, "sale")
    assert (first["state"], second["state"], second["open"]["fen"]) == ("settled", "part", 6_000)
    [settled] = told(office, "finance.receivable.settled.v1", customer)
    assert (settled["days_late"], settled["item_id"]) == (
        7,
        first["item_id"],
    )  # due 10 days ago, paid 3 days ago
    [received] = told(office, "finance.payment.received.v1", customer)
    assert [each["fen"] for each in received["allocations"]] == [5_000, 1_000]
    assert agrees(office)
    assert agrees(office, days_ago(4))


@pytest.mark.requirement("F16")
def test_matching_later_makes_no_entry_and_may_be_taken_back(office, debtor):
    customer = debtor()
    sell_on_credit(office, customer, 5_000)
    pay(office, customer, 5_000)
    entries = office.value("select count(*) from journal_entries")
    [debt], [credit] = items_of(office, customer, "sale"), items_of(office, customer, "payment")
    body = {"credit_id": credit["item_id"], "debt_id": debt["item_id"], "amount": money(5_000)}
    done = office.post("/v1/allocations", body, role="accountant")
    assert (done.status_code, done.json["debt"]["state"]) == (201, "settled")
    undo = f"/v1/allocations/{done.json['allocation_id']}/undo"
    assert office.post(undo, {"reason": "wrong invoice"}, role="accountant").status_code == 204
    assert office.post(undo, {"reason": "again"}, role="accountant").json["code"] == "allocation_undone"
    assert {each["open"]["fen"] for each in items_of(office, customer)} == {5_000, -5_000}
    again = office.post("/v1/allocations", body | {"amount": money(1)}, role="accountant")
    assert again.json["debt"]["state"] == "part"
    assert office.value("select count(*) from journal_entries") == entries
    assert agrees(office)


REFUSED = [
    (lambda credit, debt, other, far: (debt, debt, 1), "allocation_not_possible"),
    (lambda credit, debt, other, far: (debt, credit, 1), "allocation_not_possible"),
    (lambda credit, debt, other, far: (credit, other, 1), "allocation_not_possible"),
    (lambda credit, debt, other, far: (credit, far, 1), "allocation_not_possible"),
    (lambda credit, debt, other, far: (credit, debt, 1_001), "allocation_exceeds_open"),
    (lambda credit, debt, other, far: (credit, str(uuid4()), 1), "receivable_unknown"),
]


@pytest.mark.parametrize(("pick", "code"), REFUSED)
def test_an_allocation_that_cannot_be_changes_nothing(office, debtor, pick, code):
    customer, stranger = debtor(), debtor()
    sell_on_credit(office, customer, 1_000)
    sell_on_credit(office, customer, 2_000, branch="S002")
    sell_on_credit(office, stranger, 1_000)
    pay(office, customer, 5_000)
    [credit] = items_of(office, customer, "payment")
    [debt] = items_of(office, customer, "sale", branch_id="S001")
    [far] = items_of(office, customer, "sale", branch_id="S002")
    [other] = items_of(office, stranger)
    ids = [each if isinstance(each, str) else each["item_id"] for each in pick(credit, debt, other, far)[:2]]
    body = {"credit_id": ids[0], "debt_id": ids[1], "amount": money(pick(credit, debt, other, far)[2])}
    answer = office.post("/v1/allocations", body, role="accountant")
    assert answer.json["code"] == code
    assert items_of(office, customer, "payment")[0]["open"]["fen"] == -5_000


def test_a_payment_that_cannot_be_is_refused(office, debtor):
    customer = debtor()
    level_with(office.database, "customers")
    assert pay(office, str(uuid4()), 1).json["code"] == "customer_unknown"
    assert pay(office, customer, 1, received_on=str(days_ago(-1))).json["code"] == "payment_in_future"
    assert pay(office, customer, 1, received_on="2009-12-31").json["code"] == "before_the_books"
    assert pay(office, customer, 1, reference="T-1").status_code == 201
    assert pay(office, customer, 1, reference="T-1").json["code"] == "payment_reference_used"
    assert pay(office, customer, 1, role="salesperson").status_code == 403
    assert pay(office, customer, 0).status_code == 422
    assert pay(office, customer, 1, allocations=[{"item_id": str(uuid4()), "amount": money(1)}], oldest_first=True).status_code == 422  # fmt: skip
    foreign = office.post(
        "/v1/payments",
        {"customer_id": customer, "branch_id": "S001", "tender": "bank", "reference": "x", "received_on": str(TODAY), "amount": money(1)},
        role="accountant",
        branches=["S002"],
    )  # fmt: skip
    assert foreign.json["code"] == "foreign_branch"


@pytest.mark.requirement("F21")
def test_a_bounced_payment_opens_what_it_paid_and_frees_its_reference(office, debtor):
    customer = debtor()
    sell_on_credit(office, customer, 4_000)
    payment = pay(office, customer, 4_000, tender="acceptance_bill", reference="B-1", oldest_first=True).json
    path = f"/v1/payments/{payment['payment_id']}/reverse"
    assert office.post(path, {"reason": "dishonoured"}, role="accountant").status_code == 403
    reversed_ = office.post(path, {"reason": "dishonoured"}, role="finance_head")
    assert (reversed_.status_code, reversed_.json["reversed_on"]) == (200, str(TODAY))
    assert office.post(path, {"reason": "x"}, role="finance_head").json["code"] == "payment_reversed_before"
    assert [(each["kind"], each["open"]["fen"]) for each in sorted(items_of(office, customer), key=lambda each: each["kind"])] == [
        ("payment", 0),
        ("payment_reversal", 0),
        ("sale", 4_000),
    ]  # fmt: skip
    assert (
        pay(office, customer, 4_000, tender="acceptance_bill", reference="B-1", oldest_first=True).status_code
        == 201
    )
    assert len(told(office, "finance.payment.reversed.v1", customer)) == 1
    assert agrees(office)


@pytest.mark.requirement("F4", "F21")
def test_cash_that_left_the_safe_is_not_given_back_from_it(office, debtor):
    paid = pay(office, debtor(), 4_000, branch_id="S555", tender="cash").json
    drop = {"branch_id": "S555", "kind": "bank_drop", "amount": money(1), "reference": "BAG-1"}
    assert office.post("/v1/safe-movements", drop, role="cashier").status_code == 201
    path = f"/v1/payments/{paid['payment_id']}/reverse"
    refused = office.post(path, {"reason": "booked in error"}, role="finance_head")
    assert (refused.status_code, refused.json["code"]) == (409, "cash_safe_short")


@pytest.mark.requirement("F21")
def test_one_credit_never_pays_twice_however_many_ask_at_once(office, debtor):
    customer = debtor()
    for _ in range(6):
        sell_on_credit(office, customer, 1_000)
    pay(office, customer, 2_500)
    [credit] = items_of(office, customer, "payment")
    debts = items_of(office, customer, "sale")

    def ask(debt):
        body = {"credit_id": credit["item_id"], "debt_id": debt["item_id"], "amount": money(1_000)}
        return office.post("/v1/allocations", body, role="accountant").status_code

    with ThreadPoolExecutor(6) as people:
        answers = sorted(people.map(ask, debts))
    assert answers == [201, 201, 409, 409, 409, 409]
    assert items_of(office, customer, "payment")[0]["open"]["fen"] == -500
    assert agrees(office)


# --- write-off --------------------------------------------------------------------------------------


@pytest.mark.requirement("F21", "X1")
def test_a_write_off_needs_finance_and_management_and_never_who_asked(office, debtor):
    customer = debtor()
    sell_on_credit(office, customer, 3_000)
    [debt] = items_of(office, customer)
    path = f"/v1/receivable-items/{debt['item_id']}/write-offs"
    asked = office.post(path, {"reason": "bankrupt"}, role="finance_head", person="fang")
    assert (asked.status_code, asked.json["state"], asked.json["amount"]) == (201, "requested", money(3_000))
    assert office.post(path, {"reason": "x"}, role="accountant").json["code"] == "write_off_not_possible"
    decide = f"/v1/write-offs/{asked.json['write_off_id']}/decisions"
    own = office.post(decide, {"decision": "approved"}, role="finance_head", person="fang")
    assert (own.status_code, own.json["code"]) == (403, "approval_same_person")
    assert office.post(decide, {"decision": "approved"}, role="accountant").status_code == 403
    first = office.post(decide, {"decision": "approved"}, role="management", person="ma")
    assert first.json["state"] == "requested"
    same = office.post(decide, {"decision": "approved"}, role="finance_head", person="ma")
    assert same.json["code"] == "approval_same_person"
    done = office.post(decide, {"decision": "approved"}, role="finance_head", person="feng")
    assert (done.json["state"], done.json["booked_on"]) == ("written_off", str(TODAY))
    [debt] = items_of(office, customer, "sale")
    assert (debt["state"], debt["written_off"]) == ("written_off", money(3_000))
    lines = office.rows(
        "select l.account, l.debit_fen - l.credit_fen from journal_entries e join journal_lines l on l.entry_id = e.id"
        " where e.kind = 'write_off' and e.source_id = cast(:id as uuid) order by 1",
        id=asked.json["write_off_id"],
    )
    assert lines == [("1122", -3_000), ("1231", 3_000)]
    assert told(office, "finance.receivable.settled.v1", customer) == []
    assert len(told(office, "finance.receivable.written_off.v1", customer)) == 1
    assert office.post(decide, {"decision": "approved"}, role="management", person="mi").json["code"] == "approval_already_decided"  # fmt: skip
    assert office.post(path, {"reason": "x"}, role="accountant").json["code"] == "write_off_not_possible"
    assert agrees(office)


def test_a_write_off_that_was_rejected_or_overtaken_by_a_payment_books_nothing(office, debtor):
    customer = debtor()
    sell_on_credit(office, customer, 3_000)
    [debt] = items_of(office, customer)
    path = f"/v1/receivable-items/{debt['item_id']}/write-offs"
    for code, decisions in (
        ("rejected", [("management", False)]),
        ("overtaken", [("management", True), ("finance_head", True)]),
    ):
        asked = office.post(path, {"reason": "small"}, role="accountant").json
        decide = f"/v1/write-offs/{asked['write_off_id']}/decisions"
        if code == "overtaken":
            pay(office, customer, 1, oldest_first=True)
        for role, approved in decisions:
            answer = office.post(
                decide, {"decision": "approved" if approved else "rejected", "reason": "no"}, role=role
            )
    assert answer.json["code"] == "write_off_not_possible"
    assert (
        office.post(
            f"/v1/write-offs/{uuid4()}/decisions", {"decision": "approved"}, role="management"
        ).status_code
        == 404
    )
    assert items_of(office, customer, "sale")[0]["open"]["fen"] == 2_999


# --- the property -----------------------------------------------------------------------------------

STEP = st.one_of(
    st.tuples(st.just("sell"), st.integers(1, 5_000), st.integers(0, 80), st.booleans()),
    st.tuples(st.just("pay"), st.integers(1, 8_000), st.integers(0, 80), st.booleans()),
    st.tuples(st.just("match"), st.integers(1, 8_000), st.just(0), st.booleans()),
    st.tuples(st.just("refund"), st.integers(0, 9), st.integers(0, 60), st.booleans()),
    st.tuples(st.just("write_off"), st.integers(1, 3_000), st.just(0), st.booleans()),
    st.tuples(st.just("undo"), st.integers(0, 9), st.just(0), st.booleans()),
    st.tuples(st.just("reverse"), st.integers(0, 9), st.just(0), st.booleans()),
    st.tuples(st.just("interest"), st.just(0), st.just(0), st.booleans()),
)


class Trade:
    """One customer's random business; every refusal is allowed, no difference is."""

    def __init__(self, office, customer):
        self.office, self.customer = office, customer
        self.sales, self.payments = [], []

    def step(self, name, number, back, flag):
        getattr(self, name)(number, days_ago(back), BRANCHES[flag])

    def _open(self, sign, branch):
        found = items_of(self.office, self.customer, branch_id=branch)
        return next((each for each in found if each["open"]["fen"] * sign > 0), None)

    def sell(self, fen, on, branch):
        self.sales.append(
            (sell_on_credit(self.office, self.customer, fen, on=on, branch=branch, cash=fen % 3), fen, branch)
        )

    def pay(self, fen, on, branch):
        done = pay(
            self.office, self.customer, fen, branch_id=branch, received_on=str(on), oldest_first=fen % 2 == 0
        )
        self.payments.append(done.json["payment_id"])

    def match(self, fen, on, branch):
        debt, credit = self._open(1, branch), self._open(-1, branch)
        if debt and credit:
            body = {"credit_id": credit["item_id"], "debt_id": debt["item_id"], "amount": money(fen)}
            self.office.post("/v1/allocations", body, role="accountant")

    def refund(self, index, on, branch):
        if index < len(self.sales):
            sale, _, branch = self.sales[index]
            line = sale["lines"][0]
            taken = (0, 1, "restock", line["net"]["fen"], line["tax"]["fen"], 0)
            told = self.office.settled(sale, [taken], settled_on=str(on), branch_id=branch)
            if self.office.hear(told).parked == 0:
                refund = refunding.refund_of(self.office, told.data["return_id"])
                refunding.approve(self.office, refund)
                assert refunding.pay(self.office, refund, paid_on=on).status_code in {200, 422}

    def write_off(self, fen, on, branch):
        debt = self._open(1, branch)
        if debt:
            body = {"reason": "lost", "amount": money(min(fen, debt["open"]["fen"]))}
            asked = self.office.post(
                f"/v1/receivable-items/{debt['item_id']}/write-offs", body, role="accountant"
            ).json
            for role in ("management", "finance_head"):
                path = f"/v1/write-offs/{asked['write_off_id']}/decisions"
                assert self.office.post(path, {"decision": "approved"}, role=role).status_code == 200

    def undo(self, index, on, branch):
        rows = self.office.rows(
            "select allocation_id from receivable_allocations a join receivable_items i on i.item_id = a.debt_id"
            " where customer_id = cast(:id as uuid) and fen > 0 order by a.at limit 10",
            id=self.customer,
        )
        if index < len(rows):
            self.office.post(f"/v1/allocations/{rows[index][0]}/undo", {"reason": "x"}, role="accountant")

    def reverse(self, index, on, branch):
        if index < len(self.payments):
            self.office.post(
                f"/v1/payments/{self.payments[index]}/reverse", {"reason": "x"}, role="finance_head"
            )

    def interest(self, number, on, branch):
        run(self.office, jobs.charge_interest)


@pytest.mark.requirement("F15", "F16", "F21")
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=st.lists(STEP, min_size=5, max_size=14), back=st.integers(0, 100))
def test_open_items_are_the_balance_of_1122_after_anything_that_can_happen(office, debtor, steps, back):
    trade = Trade(office, debtor())
    for step in steps:
        trade.step(*step)
        proof = office.get("/v1/receivable-proofs").json
        assert proof["agrees"], (step, proof)
    assert agrees(office)
    assert agrees(office, days_ago(back))
    office.seal()
    assert agrees(office)
    wrong = office.rows(
        "select i.item_id from receivable_items i left join (select item_id, sum(fen) as fen from ("
        " select debt_id as item_id, -fen as fen from receivable_allocations"
        " union all select credit_id, fen from receivable_allocations) s group by item_id) a using (item_id)"
        " where i.open_fen <> i.amount_fen + coalesce(a.fen, 0)"
    )
    assert wrong == []
    run(office, tell_opened)
    assert what_was_told(office, trade.customer) == {
        str(item): fen
        for item, fen in office.rows(
            "select item_id, open_fen from receivable_items where customer_id = cast(:id as uuid)",
            id=trade.customer,
        )
    }


def what_was_told(office, customer):
    """What is open of each item, from events alone: as it was opened, less what was set against it."""
    open_fen = {}
    for each in told(office, "finance.receivable.opened.v1", customer):
        assert each["item_id"] not in open_fen, "told twice"
        open_fen[each["item_id"]] = each["amount_fen"]
    for each in told(office, "finance.receivable.allocated.v1", customer):
        open_fen[each["debt_id"]] -= each["fen"]
        open_fen[each["credit_id"]] += each["fen"]
    return open_fen


@pytest.mark.requirement("F15")
def test_the_proof_holds_at_every_instant_while_others_write(office, debtor):
    customers = [debtor() for _ in range(3)]

    def work(customer):
        for number in range(8):
            sell_on_credit(office, customer, 1_000 + number)
            assert pay(office, customer, 700, oldest_first=True).status_code == 201

    with ThreadPoolExecutor(4) as people:
        working = [people.submit(work, customer) for customer in customers]
        looks = 0
        while not all(each.done() for each in working):
            assert office.get("/v1/receivable-proofs").json["agrees"]
            looks += 1
        for each in working:
            each.result()
    assert looks > 3
    assert agrees(office)


def test_what_an_item_and_an_allocation_are_is_never_changed(office, debtor):
    sell_on_credit(office, debtor(), 100)
    for statement in (
        "update receivable_items set amount_fen = amount_fen + 1, open_fen = open_fen",
        "update receivable_items set due_on = due_on + 1",
        "delete from receivable_items",
        "truncate receivable_items",
        "update receivable_allocations set fen = 2",
        "delete from receivable_allocations",
    ):
        with pytest.raises(Exception, match="append-only"), behind(office.database) as conn:
            conn.exec_driver_sql(statement)


def test_a_token_of_another_branch_sees_nothing(office, debtor):
    customer = debtor()
    sell_on_credit(office, customer, 100)
    [item] = items_of(office, customer)
    strangers = {"role": "accountant", "branches": ["S009"]}
    assert office.get(f"/v1/receivable-items?customer_id={customer}", **strangers).json["items"] == []
    assert office.get(f"/v1/receivable-items/{item['item_id']}", **strangers).status_code == 404
    assert office.get("/v1/ageing-reports?branch_id=S001", **strangers).status_code == 403
    assert office.get("/v1/ageing-reports", **strangers).json["total"] == money(0)
    path = f"/v1/receivable-items/{item['item_id']}/dispute"
    assert office.post(path, {"reason": "x"}, **strangers).status_code == 404
    assert office.get("/v1/ageing-reports?as_of=0001-01-01").status_code == 422


@pytest.mark.requirement("F13")
def test_indicators_follow_their_definitions(office, debtor):
    customer = debtor()
    branch = "S777"
    first = date(2024, 1, 1)
    sell_on_credit(office, customer, 10_000, on=date(2023, 12, 1), branch=branch)
    sell_on_credit(office, customer, 30_000, on=date(2024, 1, 15), branch=branch)
    pay(office, customer, 10_000, branch_id=branch, received_on="2024-01-20", oldest_first=True)
    found = office.get(f"/v1/receivable-indicators?from={first}&until=2024-01-30&branch_id={branch}").json
    assert (found["opening"]["fen"], found["closing"]["fen"], found["credit_sales"]["fen"]) == (
        10_000,
        30_000,
        30_000,
    )
    assert found["dso_centidays"] == round(100 * 20_000 / (30_000 / 30))
    assert found["collection_effectiveness_bp"] == 10_000  # all that was not current was collected
    empty = office.get("/v1/receivable-indicators?from=2012-01-01&until=2012-01-31").json
    assert (empty["dso_centidays"], empty["collection_effectiveness_bp"]) == (None, None)
    assert office.get("/v1/receivable-indicators?from=2024-01-31&until=2024-01-30").status_code == 422
