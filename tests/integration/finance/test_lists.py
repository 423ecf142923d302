"""What was posted is found again: by day, till, tender, customer and state, page by page."""

from datetime import timedelta

import pytest

from finance.dunning import jobs
from tests.support.banking import Bank
from tests.support.debtors import TODAY, a_debtor, days_ago, items_of, pay, run, sell_on_credit
from tests.support.expenses_builders import a_goods_line, a_goods_receipt
from tests.support.finance_builders import CUSTOMER, a_line, a_receipt, money
from tests.support.ordering import SalesDesk, a_parcel, an_order_line

PAID = {"unit_price": money(1_000), "discount": money(0), "quantity": 1}


def walked(office, path, **options):
    """Every item of a list, read one by one over its cursors."""
    items, cursor = [], None
    while True:
        sign = "&" if "?" in path else "?"
        more = f"&cursor={cursor}" if cursor else ""
        answer = office.get(f"{path}{sign}limit=1{more}", **options)
        assert answer.status_code == 200, answer.text
        items += answer.json["items"]
        cursor = answer.json["next_cursor"]
        if cursor is None:
            return items


def ids(office, name, path, **options):
    whole = office.get(path, **options)
    assert whole.status_code == 200, whole.text
    one_by_one = [each[name] for each in walked(office, path, **options)]
    assert one_by_one == [each[name] for each in whole.json["items"]]
    return one_by_one


def test_a_branchs_sales_are_found_by_day_till_tender_customer_and_channel(office):
    def sell(number, day, *, till="till-1", branch="S010", fen=1_000, tenders=("cash",), **odd):
        shares = [{"tender": each, "amount": money(fen // len(tenders))} for each in tenders]
        line = a_line(**PAID | {"unit_price": money(fen)})
        receipt = a_receipt(number, branch_id=branch, sold_at=f"{day}T02:00:00Z", lines=[line], **odd)
        answer = office.post("/v1/sales", {**receipt, "tenders": shares if fen else []}, person=till)
        assert answer.status_code == 201, answer.text
        return answer.json["sale_id"]

    first = sell("LA-1", "2026-03-01")
    second = sell("LA-2", "2026-03-31", till="till-2", tenders=("wechat", "cash"), customer_id=CUSTOMER)
    third = sell("LA-3", "2026-04-01", tenders=("wechat",), channel="online")
    free = sell("LA-4", "2026-04-01", fen=0)
    sell("LA-5", "2026-03-31", branch="S011")

    def found(**wanted):
        query = "".join(f"&{name}={value}" for name, value in wanted.items())
        return ids(office, "sale_id", f"/v1/sales?branch_id=S010{query}")

    assert found() == [first, second, third, free]
    assert found(**{"from": "2026-03-31", "until": "2026-03-31"}) == [second]
    assert found(**{"from": "2026-04-01"}) == [third, free]
    assert found(until="2026-03-31") == [first, second]
    assert (found(posted_by="till-2"), found(tender="wechat")) == ([second], [second, third])
    assert (found(customer_id=CUSTOMER), found(channel="online")) == ([second], [third])
    assert (found(receipt_number="LA-3"), found(receipt_number="LA-5")) == ([third], [])
    [row] = office.get("/v1/sales?branch_id=S010&receipt_number=LA-2").json["items"]
    assert (row["posted_by"], row["total"]) == ("till-2", money(1_000))
    assert row["tenders"] == [
        {"tender": "cash", "channel_transaction_id": None, "amount": money(500)},
        {"tender": "wechat", "channel_transaction_id": None, "amount": money(500)},
    ]

    path = "/v1/sales-totals?branch_id=S010&from=2026-03-31&until=2026-04-01"
    assert [
        (each["business_date"], each["posted_by"], each["tender"], each["receipts"], each["amount"]["fen"])
        for each in walked(office, path)
    ] == [
        ("2026-03-31", "till-2", "cash", 1, 500),
        ("2026-03-31", "till-2", "wechat", 1, 500),
        ("2026-04-01", "till-1", "none", 1, 0),
        ("2026-04-01", "till-1", "wechat", 1, 1_000),
    ]
    assert len(walked(office, f"{path}&tender=wechat&posted_by=till-1")) == 1
    assert office.get(path, branches=["S011"]).status_code == 403


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("branch_id=S010&from=2026-04-02&until=2026-04-01", "until"),
        ("branch_id=S010&from=2026-01-01&until=2026-02-01", "until"),
        ("branch_id=S010&from=2026-01-01", "until"),
        ("from=2026-01-01&until=2026-01-02", "branch_id"),
        ("branch_id=S010&from=2026-01-01&until=2026-01-02&tender=gold", "tender"),
    ],
)
def test_totals_of_impossible_days_are_refused_by_name(office, query, field):
    answer = office.get(f"/v1/sales-totals?{query}")
    assert answer.status_code == 422
    assert field in answer.text


def test_payments_and_allocations_are_found_by_customer_day_and_state(office):
    customer, other = a_debtor(office), a_debtor(office)
    sell_on_credit(office, customer, 10_000, on=days_ago(40))
    [debt] = items_of(office, customer)
    share = [{"item_id": debt["item_id"], "amount": money(4_000)}]
    used = pay(office, customer, 4_000, reference="LB-1", allocations=share).json
    left = pay(office, customer, 500, reference="LB-2", tender="cash", role="cashier").json
    pay(office, other, 700)
    back = pay(office, customer, 300, reference="LB-3").json
    reversed_ = office.post(
        f"/v1/payments/{back['payment_id']}/reverse", {"reason": "r"}, role="finance_head"
    )
    assert reversed_.status_code == 200, reversed_.text

    def found(query):
        return ids(office, "payment_id", f"/v1/payments?customer_id={customer}{query}")

    every = {used["payment_id"], left["payment_id"], back["payment_id"]}
    assert set(found("")) == set(found(f"&from={TODAY}&until={TODAY}")) == every
    assert found(f"&from={TODAY + timedelta(days=1)}") == []
    assert (found("&state=used"), found("&state=open")) == ([used["payment_id"]], [left["payment_id"]])
    assert (found("&state=reversed"), found("&tender=cash")) == ([back["payment_id"]], [left["payment_id"]])
    assert found("&reference=LB-1") == [used["payment_id"]]
    assert office.get(f"/v1/payments?customer_id={customer}", branches=["S002"]).json["items"] == []

    path = f"/v1/allocations?item_id={debt['item_id']}"
    [made] = office.get(path).json["items"]
    assert (made["customer_id"], made["amount"], made["undone_by"]) == (customer, money(4_000), None)
    undo = office.post(f"/v1/allocations/{made['allocation_id']}/undo", {"reason": "r"}, role="accountant")
    assert undo.status_code == 204, undo.text
    rows = {each["allocation_id"]: each for each in walked(office, path)}
    assert len(rows) == 2
    undone = rows[made["allocation_id"]]
    assert rows[undone["undone_by"]]["undoes"] == made["allocation_id"]
    assert office.get(path, branches=["S002"]).json["items"] == []


def test_who_decides_on_write_offs_finds_what_waits(office):
    customer = a_debtor(office)
    sell_on_credit(office, customer, 10_000, on=days_ago(400))
    sell_on_credit(office, customer, 20_000, on=days_ago(390))
    asked = [
        office.post(
            f"/v1/receivable-items/{item['item_id']}/write-offs", {"reason": "r"}, role="accountant"
        ).json
        for item in items_of(office, customer)
    ]
    waiting = f"/v1/write-offs?customer_id={customer}&state=requested"
    for role in ("finance_head", "management"):
        assert ids(office, "write_off_id", waiting, role=role) == [each["write_off_id"] for each in asked]
    refused = office.post(
        f"/v1/write-offs/{asked[0]['write_off_id']}/decisions",
        {"decision": "rejected", "reason": "they will pay"},
        role="management",
    )
    assert refused.status_code == 200, refused.text
    assert ids(office, "write_off_id", waiting) == [asked[1]["write_off_id"]]
    [rejected] = office.get(f"/v1/write-offs?item_id={asked[0]['item_id']}").json["items"]
    assert (rejected["state"], rejected["customer_id"]) == ("rejected", customer)
    assert office.get(waiting, branches=["S002"]).json["items"] == []


def test_letters_are_found_by_customer_level_and_day(office):
    customer = a_debtor(office)
    sell_on_credit(office, customer, 10_000, on=days_ago(100))
    run(office, jobs.dun)
    [case] = office.get(f"/v1/dunning-cases?customer_id={customer}").json["items"]
    phoned = {"channel": "phone", "outcome": "reached", "text_version": "phone-1"}
    office.post(f"/v1/dunning-cases/{case['case_id']}/actions", phoned, role="accountant")
    run(office, jobs.dun, TODAY + timedelta(days=7))
    body = {"customer_id": customer, "level": 2}
    letter = office.post("/v1/dunning-letters", body, role="accountant").json["letter_id"]
    path = f"/v1/dunning-letters?customer_id={customer}"
    assert ids(office, "letter_id", path) == ids(office, "letter_id", f"{path}&level=2") == [letter]
    assert ids(office, "letter_id", f"{path}&level=3") == []
    assert ids(office, "letter_id", f"{path}&from={TODAY}&branch_id=S001") == [letter]
    assert office.get(path, branches=["S002"]).json["items"] == []


def test_bank_lines_and_matches_are_found_matched_or_not(office):
    bank = Bank(office)
    bank.load([("2026-03-02", "1.20", "", "结息", ""), ("2026-03-05", "-15.00", "", "手续费", "")])
    interest, fee = bank.lines()
    match = bank.confirm(interest, "direct", reason="interest", branch_id="S001").json
    assert ids(office, "line_id", f"/v1/bank-lines?account_id={bank.id}") == [
        interest["line_id"],
        fee["line_id"],
    ]
    assert ids(office, "line_id", f"/v1/bank-lines?account_id={bank.id}&is_matched=true") == [
        interest["line_id"]
    ]
    assert ids(
        office, "line_id", f"/v1/bank-lines?account_id={bank.id}&is_matched=false&from=2026-03-05"
    ) == [fee["line_id"]]
    assert ids(office, "line_id", f"/v1/bank-lines?account_id={bank.id}&until=2026-03-01") == []
    [row] = office.get(f"/v1/bank-lines?account_id={bank.id}&is_matched=true").json["items"]
    assert (row["match_id"], row["overdue"]) == (match["match_id"], False)

    assert ids(
        office, "match_id", f"/v1/bank-matches?account_id={bank.id}&line_id={interest['line_id']}"
    ) == [match["match_id"]]
    undo = {"reason": "wrong line"}
    answer = office.post(f"/v1/bank-matches/{match['match_id']}/undo", undo, role="finance_head")
    assert answer.status_code == 200, answer.text
    again = bank.confirm(interest, "direct", reason="interest", branch_id="S001").json
    assert ids(office, "match_id", f"/v1/bank-matches?account_id={bank.id}&is_undone=true") == [
        match["match_id"]
    ]
    assert ids(office, "match_id", f"/v1/bank-matches?account_id={bank.id}&is_undone=false&kind=direct") == [
        again["match_id"]
    ]
    assert set(
        ids(office, "match_id", f"/v1/bank-matches?account_id={bank.id}&from=2026-03-02&until=2026-03-02")
    ) == {
        match["match_id"],
        again["match_id"],
    }
    [row] = office.get(f"/v1/bank-matches?account_id={bank.id}&is_undone=false").json["items"]
    assert (row["line_booked_on"], row["line_amount"]) == ("2026-03-02", money(120))
    assert office.get(f"/v1/bank-matches?account_id={bank.id}", branches=["S001"]).status_code == 404


def test_goods_receipts_are_found_by_supplier_invoice_and_day(office):
    made = [
        office.post(
            "/v1/goods-receipts", a_goods_receipt("S020", a_goods_line(), **odd), role="accountant"
        ).json
        for odd in ({"received_on": "2026-03-01"}, {"received_on": "2026-03-09", "supplier_id": "SUP-2"})
    ]
    first, second = (each["goods_receipt_id"] for each in made)

    def found(query):
        return ids(office, "goods_receipt_id", f"/v1/goods-receipts?branch_id=S020{query}")

    assert found("") == [first, second]
    assert (found("&supplier_id=SUP-2"), found("&until=2026-03-08")) == ([second], [first])
    assert found(f"&invoice_no={made[0]['invoice_no']}") == [first]
    assert office.get("/v1/goods-receipts", branches=["S021"]).json["items"] == []


def test_shipments_are_found_by_order_customer_and_day(office):
    desk = SalesDesk(office)
    product, customer = desk.price(), desk.customer()
    order = desk.confirmed(an_order_line(product), customer=customer)
    sent = [desk.ship(order, a_parcel(quantity=number)).json["shipment_id"] for number in (4, 6)]
    of = f"order_id={order['order_id']}"
    assert sorted(ids(office, "shipment_id", f"/v1/shipments?{of}")) == sorted(sent)
    path = f"/v1/shipments?customer_id={customer}&from={TODAY}&until={TODAY}"
    assert sorted(ids(office, "shipment_id", path)) == sorted(sent)
    assert ids(office, "shipment_id", f"/v1/shipments?{of}&until={days_ago(1)}") == []
    assert office.get(f"/v1/shipments?{of}", branches=["S099"]).json["items"] == []
