"""Ways around a rule that nobody may take: two posts in one person, numbers of others, twins that arrive at once."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import pytest

from shared.clock import utc_now
from tests.support.contracts import a_content, drafted
from tests.support.credit import a_customer, exposure_of
from tests.support.eventually import eventually
from tests.support.finance_builders import a_line, a_receipt, money, ndjson
from tests.support.ordering import LATER, TODAY, SalesDesk, a_parcel, an_order_line, refused


@pytest.fixture(scope="module")
def desk(office):
    return SalesDesk(office)


@pytest.mark.requirement("F27", "X1")
def test_who_confirmed_any_content_of_an_order_does_not_ship_it(desk):
    product = desk.price()
    order = desk.confirmed(an_order_line(product, quantity=1))
    assert desk.change(order, an_order_line(product, quantity=100)).status_code == 200
    assert desk.confirm(order, role="store_manager", person="kim").status_code == 200
    refused(desk.ship(order, a_parcel(quantity=100), person="kim"), 403, "shipment_by_confirmer")
    assert desk.ship(order, a_parcel(quantity=100), person="lee").status_code == 201


@pytest.mark.requirement("F10", "F24")
def test_a_till_that_uses_a_shipments_number_stops_no_delivery(office, desk):
    order = desk.confirmed()
    for number in ("1", "1-2"):
        office.sell(receipt_number=f"{order['number']}/{number}", sold_at=utc_now().isoformat())
    sent = desk.ship(order, a_parcel(quantity=4))
    assert sent.status_code == 201, sent.text
    assert desk.ship(order, a_parcel(quantity=6)).status_code == 201
    numbers = office.rows(
        "select receipt_number from shipments where order_id = cast(:id as uuid) order by no",
        id=order["order_id"],
    )
    assert numbers == [(f"{order['number']}/1-3",), (f"{order['number']}/2",)]


@pytest.mark.requirement("F12", "F27")
@pytest.mark.parametrize("odd", [{"unit_price": money(1)}, {"deliver_on": "2099-01-01"}])
def test_what_is_shipped_is_not_made_cheaper_or_punctual_afterwards(desk, odd):
    """Nothing is left to ship, so neither price nor credit would be judged."""
    product = desk.price()
    order = desk.confirmed(an_order_line(product, quantity=4))
    assert desk.ship(order, a_parcel(quantity=3)).status_code == 201
    assert desk.change(order, an_order_line(product, quantity=3, **odd)).status_code == 200
    assert desk.faults(desk.confirm(order)) == ["order_below_shipped"]
    assert desk.change(order, an_order_line(product, quantity=3)).status_code == 200
    assert desk.confirm(order).json["state"] == "shipped"


@pytest.mark.requirement("F10", "F27", "X11")
def test_another_expiry_makes_no_expired_lot_fresh(office, desk):
    product, expired = desk.price(), str(TODAY - timedelta(days=1))

    def sold(lot, expiry):
        line = a_line(product={"product_id": product}, lot=lot, expiry=expiry)
        office.sell(lines=[line], sold_at=(utc_now() - timedelta(days=5)).isoformat())

    for lot, expiry in (("OLD", expired), ("NEW", LATER)):
        sold(lot, expiry)
    order = desk.confirmed(an_order_line(product))
    refused(desk.ship(order, a_parcel(quantity=1, lot="ｏｌｄ")), 409, "lot_expired")
    named = an_order_line(product, lots=[{"lot": "OLD", "expiry": LATER}])
    assert desk.faults(desk.confirm(desk.drafted(named))) == ["lot_expired", "lot_expiry_contradicts"]
    # a slip of a till is refused, and stops no delivery
    slip = a_line(product={"product_id": product}, lot="NEW", expiry=expired)
    days_ago = (utc_now() - timedelta(days=5)).isoformat()
    slipped = office.post("/v1/sales", a_receipt(lines=[slip], sold_at=days_ago))
    refused(slipped, 409, "lot_expiry_contradicts")
    assert desk.ship(order, a_parcel(quantity=1, lot="NEW")).status_code == 201


@pytest.mark.requirement("F12", "X9")
@pytest.mark.parametrize(
    ("unit_price", "discount", "fits"), [(1_000, 20, True), (1_200, 220, False), (1_200, 0, True)]
)
def test_no_discount_is_shown_off_a_price_that_nobody_asks(desk, unit_price, discount, fits):
    line = an_order_line(desk.price(), unit_price=money(unit_price), unit_discount=money(discount))
    answer = desk.confirm(desk.drafted(line))
    if fits:
        assert answer.status_code == 200, answer.text
    else:
        assert desk.faults(answer) == ["order_price_feigned"]


@pytest.mark.requirement("F10")
def test_a_rate_that_ended_after_the_shipment_binds_no_change_of_the_rest(office, desk):
    """What is shipped keeps its rate, so no change of the order could ever have been confirmed."""
    product = desk.price()
    first, second = (an_order_line(product, no, quantity=2) for no in (1, 2))
    order = desk.confirmed(first, second)
    assert desk.ship(order, a_parcel(quantity=2)).status_code == 201
    with office.database.begin() as conn:
        conn.exec_driver_sql(
            "update sales_order_lines set tax_bp = 1600 where order_id = %s and no = 1", (order["order_id"],)
        )
    assert desk.change(order, {**first, "tax_bp": 1600}, {**second, "tax_bp": 1600}).status_code == 200
    assert desk.faults(desk.confirm(order)) == ["vat_rate_unknown"]
    assert desk.change(order, {**first, "tax_bp": 1600}, {**second, "quantity": 1}).status_code == 200
    assert desk.confirm(order).json["state"] == "part_shipped"


@pytest.mark.requirement("F8", "X1")
def test_who_wrote_any_draft_of_a_contract_neither_reviews_nor_signs_it(office):
    contract_id = drafted(office, a_customer(office))
    path = f"/v1/contracts/{contract_id}"
    headers = office.headers("salesperson", person="sam") | {"Idempotency-Key": "revise-by-sam"}
    revised = office.app.test_client().put(path, json={"content": a_content(place="北京")}, headers=headers)
    assert revised.status_code == 200, revised.text
    assert office.post(f"{path}/submit", {}, role="salesperson", person="sam").status_code == 200
    first = office.post(
        f"{path}/decisions", {"decision": "approved"}, role="business_head", person="the-salesperson"
    )
    refused(first, 403, "approval_same_person")


@pytest.mark.requirement("F24", "F12")
def test_one_upload_sent_twice_at_once_posts_once_and_calls_the_other_a_duplicate(office):
    customer = a_customer(office, 3_900)
    line = a_line(expiry="2099-12-31")
    receipt = a_receipt(
        customer_id=customer,
        sold_at=utc_now().isoformat(),
        lines=[line],
        tenders=[{"tender": "credit", "amount": money(3_900)}],
    )
    body = ndjson([receipt])
    waiting = "select count(*) from pg_locks where not granted"
    with ThreadPoolExecutor(2) as pool:
        with office.database.begin() as conn:
            conn.exec_driver_sql("insert into exposures values (%s) on conflict do nothing", (customer,))
            twins = [pool.submit(office.results, body) for _ in range(2)]
            eventually(lambda: office.value(waiting) >= 2)
        told = [twin.result(timeout=30)[0] for twin in twins]
    assert sorted(each["state"] for each in told) == ["duplicate", "posted"], told
    assert len({each["sale_id"] for each in told}) == 1
    assert exposure_of(office, customer)["outstanding"] == 3_900


@pytest.mark.requirement("F1", "F22")
def test_a_draft_of_before_an_account_had_a_sub_ledger_is_not_posted_any_more(office):
    lines = [["2241.01", 500, 0], ["1002", 0, 500]]
    with office.database.begin() as conn:
        conn.exec_driver_sql(
            "insert into vouchers (voucher_id, state, booked_on, branch_id, summary, lines, total_fen, subject_hash,"
            " drafted_by, drafted_at) values (%s, 'draft', %s, 'S001', '冲销', %s, 500, '', 'ann', now())",
            (voucher_id := str(uuid4()), TODAY, json.dumps(lines)),
        )
    path = f"/v1/vouchers/{voucher_id}/decisions"
    answer = office.post(path, {"decision": "approved", "reason": None}, role="finance_head")
    refused(answer, 422, "voucher_invalid")
    answer = office.post(path, {"decision": "rejected", "reason": "退款另有单据"}, role="finance_head")
    assert answer.json["state"] == "rejected"
    assert office.get("/v1/refund-liabilities").json["agrees"]
