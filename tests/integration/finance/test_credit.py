"""Nobody owes more than was granted: at the till, in an upload, on orders, and all of them at once."""

from datetime import timedelta
from itertools import permutations
from uuid import uuid4

import pytest

from shared.clock import utc_now
from tests.support.credit import a_customer, at_once, exposure_of, in_tx, reserve
from tests.support.debtors import TODAY, days_ago, items_of, pay, sell_on_credit
from tests.support.finance_builders import a_line, a_receipt, money, ndjson
from tests.support.watermarks import level_with, not_level_with


def on_credit(customer_id, fen, **odd):
    line = a_line(quantity=1, unit_price=money(fen), discount=money(0), cost=money(0), expiry="2099-12-31")
    tenders = [{"tender": "credit", "amount": money(fen)}]
    receipt = {"lines": [line], "tenders": tenders, "sold_at": utc_now().isoformat(), **odd}
    return a_receipt(customer_id=customer_id, **receipt)


def sell(office, customer_id, fen, **identity):
    answer = office.post("/v1/sales", on_credit(customer_id, fen), **identity)
    return None if answer.status_code == 201 else answer.json["code"]


@pytest.mark.requirement("F21", "F27")
def test_debts_and_orders_together_stay_within_the_limit(office):
    customer, order = a_customer(office), uuid4()
    assert sell(office, customer, 60_000) is None
    assert reserve(office, customer, order, 30_000) is None
    answer = office.post("/v1/sales", on_credit(customer, 10_001))
    assert (answer.status_code, answer.json["code"]) == (409, "credit_limit_exceeded")
    told = {
        name: answer.json[name] for name in ("limit_fen", "outstanding_fen", "reserved_fen", "wanted_fen")
    }
    assert list(told.values()) == [100_000, 60_000, 30_000, 10_001]
    assert reserve(office, customer, order, 40_001) == "credit_limit_exceeded"
    assert reserve(office, customer, order, 40_000) is None
    assert exposure_of(office, customer) == {
        "is_whole": True, "limit": 100_000, "overdue_tolerance": 10**13, "on_hold": False, "valid_until": None,
        "outstanding": 60_000, "overdue": 0, "reserved": 40_000, "available": 0, "refusal": "credit_limit_exceeded",
    }  # fmt: skip
    assert reserve(office, customer, order, 0) is None
    assert pay(office, customer, 60_000).status_code == 201
    assert exposure_of(office, customer)["available"] == 100_000


@pytest.mark.requirement("F27")
def test_what_exceeds_the_limit_leaves_nothing_behind_and_a_receipt_sent_twice_is_not_counted_twice(office):
    customer = a_customer(office, 5_000)
    receipt = on_credit(customer, 5_000)
    first = office.post("/v1/sales", receipt)
    again = office.post("/v1/sales", receipt)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json["sale_id"] == first.json["sale_id"]
    refused = on_credit(customer, 1)
    assert office.post("/v1/sales", refused).json["code"] == "credit_limit_exceeded"
    number = refused["receipt_number"]
    assert office.value("select count(*) from receipts where receipt_number = :n", n=number) == 0
    assert office.post("/v1/sales", a_receipt(customer_id=customer)).status_code == 201  # paid at once


@pytest.mark.requirement("F27")
def test_only_growth_is_judged_and_then_the_whole(office):
    customer, order = a_customer(office), uuid4()
    assert reserve(office, customer, order, 90_000) is None
    office.hear(office.grant(customer, 50_000, version=2))
    assert reserve(office, customer, order, 90_000) is None  # nothing new
    assert reserve(office, customer, order, 70_000) is None  # less is always possible
    assert reserve(office, customer, order, 90_000) == "credit_limit_exceeded"  # and not taken back
    assert reserve(office, customer, order, 0) is None
    assert reserve(office, customer, order, 70_000) == "credit_limit_exceeded"  # re-opening is new
    assert reserve(office, customer, order, 50_000) is None


@pytest.mark.requirement("F21", "F27")
def test_debts_past_due_stop_new_ones_beyond_the_tolerance(office):
    customer = a_customer(office, 10**9, overdue_tolerance_fen=10_000)
    sell_on_credit(office, customer, 10_000, on=days_ago(100))
    assert sell(office, customer, 1) is None
    sell_on_credit(office, customer, 1, on=days_ago(99))
    answer = office.post("/v1/sales", on_credit(customer, 1))
    assert (answer.status_code, answer.json["code"]) == (409, "credit_overdue")
    assert (answer.json["overdue_fen"], answer.json["tolerance_fen"]) == (10_001, 10_000)
    assert exposure_of(office, customer)["refusal"] == "credit_overdue"
    [debt] = [each for each in items_of(office, customer) if each["amount"]["fen"] == 10_000]
    share = {"item_id": debt["item_id"], "amount": money(1)}
    assert pay(office, customer, 1, allocations=[share]).status_code == 201
    assert sell(office, customer, 1) is None


@pytest.mark.requirement("F21", "F27")
def test_no_grant_an_ended_grant_and_a_hold_stop_everything(office):
    stranger = str(uuid4())
    office.hear(office.permit(stranger))
    with office.database.begin() as conn:
        conn.exec_driver_sql("delete from credit_limits where customer_id = %s", (stranger,))
    not_level_with(office.database, "customers")
    assert sell(office, stranger, 1) == "credit_not_yet_known"
    level_with(office.database, "customers")
    assert sell(office, stranger, 1) == "credit_not_granted"
    assert exposure_of(office, stranger)["limit"] is None
    customer, order = a_customer(office, valid_until=str(TODAY)), uuid4()
    assert sell(office, customer, 1) is None
    assert reserve(office, customer, order, 10) is None
    office.hear(office.grant(customer, version=2, valid_until=str(TODAY - timedelta(days=1))))
    answer = office.post("/v1/sales", on_credit(customer, 1))
    assert (answer.json["code"], answer.json["reason"]) == ("credit_not_granted", "ended")
    tomorrow = utc_now() + timedelta(days=1)
    assert reserve(office, customer, order, 11, override_until=tomorrow) == "credit_not_granted"
    office.hear(office.grant(customer, version=3, on_hold=True))
    assert sell(office, customer, 1) == "credit_on_hold"
    assert reserve(office, customer, order, 11, override_until=tomorrow) == "credit_on_hold"
    assert reserve(office, customer, order, 9) is None
    assert exposure_of(office, customer)["refusal"] == "credit_on_hold"


@pytest.mark.requirement("F27")
def test_an_override_passes_limit_and_overdue_for_its_amount_until_it_ends(office):
    customer, order = a_customer(office, 100, overdue_tolerance_fen=0), uuid4()
    sell_on_credit(office, customer, 100, on=days_ago(100))
    later = utc_now() + timedelta(hours=1)
    assert reserve(office, customer, order, 500) == "credit_overdue"
    assert reserve(office, customer, order, 500, override_until=later, override_fen=499) == "credit_overdue"
    assert reserve(office, customer, order, 500, override_until=utc_now()) == "credit_overdue"
    assert reserve(office, customer, order, 500, override_until=later) is None
    assert reserve(office, customer, order, 501, override_until=later, override_fen=500) == "credit_overdue"
    assert exposure_of(office, customer)["reserved"] == 500


@pytest.mark.requirement("F27")
def test_the_newest_credit_wins_in_any_order(office):
    for order in permutations((1, 2, 3)):
        customer = str(uuid4())
        office.hear(*(office.grant(customer, version * 100, version=version) for version in order))
        office.hear(office.grant(customer, 100, version=1))
        assert exposure_of(office, customer)["limit"] == 300


@pytest.mark.requirement("F27")
def test_an_upload_refuses_the_receipts_beyond_the_limit_and_books_the_others(office):
    customer, other = a_customer(office, 10_000), a_customer(office, 1_000)
    receipts = [
        on_credit(customer, 6_000),
        on_credit(other, 1_000),
        on_credit(customer, 6_000),
        on_credit(customer, 4_000),
        on_credit(other, 1),
        a_receipt(customer_id=other),
    ]
    results = office.results(ndjson(receipts))
    assert [each["state"] for each in results] == [
        "posted", "posted", "refused", "posted", "refused", "posted",
    ]  # fmt: skip
    assert {each["code"] for each in results if each["state"] == "refused"} == {"credit_limit_exceeded"}
    assert exposure_of(office, customer)["outstanding"] == 10_000


@pytest.mark.requirement("F27")
def test_a_branch_is_told_its_own_debts_and_the_room_of_the_company(office):
    customer = a_customer(office, 1_000)
    sell_on_credit(office, customer, 300, branch="S001")
    sell_on_credit(office, customer, 200, branch="S002")
    reserve(office, customer, uuid4(), 100)
    mine = exposure_of(office, customer, branches=("S001",))
    assert (mine["is_whole"], mine["outstanding"], mine["reserved"], mine["available"]) == (
        False,
        300,
        None,
        400,
    )
    refused = office.post("/v1/sales", on_credit(customer, 401), branches=("S001",)).json
    assert refused["code"] == "credit_limit_exceeded"
    assert not {"outstanding_fen", "reserved_fen"} & refused.keys()
    assert office.get("/v1/credit-exposures/nobody", role="salesperson").status_code == 404


# --- at once ----------------------------------------------------------------------------------------


@pytest.mark.requirement("F27")
def test_parallel_sales_and_orders_end_exactly_within_the_limit(office):
    customer = a_customer(office, 10_000)
    sales = [lambda: sell(office, customer, 1_000) for _ in range(10)]
    orders = [lambda: reserve(office, customer, uuid4(), 1_000) for _ in range(10)]
    results = at_once(*(each for pair in zip(sales, orders, strict=True) for each in pair))
    assert results.count(None) == 10
    assert set(results) == {None, "credit_limit_exceeded"}
    now = exposure_of(office, customer)
    assert (now["outstanding"] + now["reserved"], now["available"]) == (10_000, 0)


@pytest.mark.requirement("F27")
def test_parallel_changes_of_one_order_and_uploads_end_within_the_limit(office):
    customer, order = a_customer(office, 10_000), uuid4()
    raising = [lambda fen=fen: reserve(office, customer, order, fen) for fen in range(1_000, 11_000, 2_000)]
    body = ndjson(on_credit(customer, 900) for _ in range(6))
    uploads = [lambda: office.results(body.replace(b"R-", uuid4().hex[:6].encode()))] * 2
    at_once(*raising, *uploads)
    now = exposure_of(office, customer)
    assert 0 < now["outstanding"] + now["reserved"] == 10_000 - now["available"] <= 10_000


@pytest.mark.requirement("F27")
def test_a_limit_lowered_while_orders_race_is_exceeded_by_nothing_that_came_after(office):
    customer = a_customer(office, 20_000)
    orders = [lambda: reserve(office, customer, uuid4(), 1_000) for _ in range(20)]
    lower = lambda: office.hear(office.grant(customer, 5_000, version=2))  # noqa: E731
    at_once(*orders[:10], lower, *orders[10:])
    before = exposure_of(office, customer)["reserved"]
    assert before >= 5_000
    assert reserve(office, customer, uuid4(), 1) == "credit_limit_exceeded"
    assert exposure_of(office, customer)["reserved"] == before


@pytest.mark.requirement("F27")
def test_sales_orders_payments_and_refunds_of_one_customer_never_wait_in_a_circle(office):
    customer = a_customer(office, 10**9)
    sold = [sell_on_credit(office, customer, 2_000) for _ in range(4)]

    def give_back(sale):
        line = sale["lines"][0]
        taken = [(0, 1, "restock", line["net"]["fen"], line["tax"]["fen"], 0)]
        office.hear(office.settled(sale, taken, settled_on=str(TODAY)))

    jobs = []
    for sale in sold:
        jobs += [
            lambda: sell(office, customer, 500),
            lambda: reserve(office, customer, uuid4(), 500),
            lambda: pay(office, customer, 700).status_code,
            lambda sale=sale: give_back(sale),
        ]
    results = at_once(*jobs)
    assert set(results) == {None, 201}
    assert office.value("select count(*) from parked_events") == 0
    now = exposure_of(office, customer)
    assert now["reserved"] == 2_000
    assert now["outstanding"] == sum(
        fen for (fen,) in office.rows(
            "select open_fen from receivable_items where customer_id = cast(:id as uuid)",
            id=customer,
        )
    )  # fmt: skip


@pytest.mark.requirement("F27")
def test_a_reservation_never_changes_its_customer(office):
    one, other, order = a_customer(office), a_customer(office), uuid4()
    assert reserve(office, one, order, 5) is None
    with pytest.raises(AssertionError, match="never changes"):
        reserve(office, other, order, 5)
    assert in_tx(office, lambda tx: None) is None
