"""Shipments of orders by lot: a sale in the same transaction, never more than ordered, and what travels with it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest

from shared.clock import business_date, utc_now
from tests.support.finance_builders import money
from tests.support.ordering import LATER, SOON, TODAY, SalesDesk, a_parcel, an_order_line, refused

MONTH = f"{TODAY:%Y-%m}"


@pytest.fixture(scope="module")
def desk(office):
    return SalesDesk(office)


@pytest.fixture(scope="module")
def product(desk):
    return desk.price()


@pytest.mark.requirement("F10", "F24")
def test_a_shipment_is_a_sale_a_debt_and_an_entry_at_once(office, desk, product):
    customer = desk.customer()
    order = desk.confirmed(an_order_line(product, unit_discount=money(10)), customer=customer)
    codes = ["81234567890123456789", "81234567890123456790"]
    sent = desk.ship(
        order,
        a_parcel(quantity=4, trace_codes=codes),
        a_parcel(quantity=2, lot="L2", expiry="2088-01-31"),
    )
    assert sent.status_code == 201, sent.text
    assert (sent.json["total"], sent.json["no"]) == (money(5_940), 1)
    assert desk.shown(order)["state"] == "part_shipped"
    assert desk.shown(order)["lines"][0]["shipped_quantity"] == 6
    sale = office.get(f"/v1/sales/{sent.json['sale_id']}").json
    assert (sale["channel"], sale["customer_id"], sale["receipt_number"]) == (
        "wholesale",
        customer,
        f"{order['number']}/1",
    )
    assert [(line["lot"], line["quantity"], line["mah"]) for line in sale["lines"]] == [
        ("L1", 4, "某某制药有限公司"),
        ("L2", 2, "某某制药有限公司"),
    ]
    assert [(each["tender"], each["amount"]) for each in sale["tenders"]] == [("credit", money(5_940))]
    assert (desk.held_fen(customer), desk.used_fen(customer)) == (3_960, 9_900)
    [(event,)] = office.rows(
        "select data from outbox where type = 'finance.shipment.sent.v1' and subject = :id",
        id=sent.json["shipment_id"],
    )
    assert (event["sale_id"], [line["lot"] for line in event["lines"]]) == (sale["sale_id"], ["L1", "L2"])
    assert all(line["on_time"] for line in event["lines"])
    assert (
        desk.ship(order, a_parcel(quantity=4, lot="L2", expiry="2088-01-31")).json["receipt_number"]
        == f"{order['number']}/2"
    )
    assert desk.shown(order)["state"] == "shipped"
    assert (desk.held_fen(customer), desk.used_fen(customer)) == (0, 9_900)
    shown = office.get(f"/v1/shipments/{sent.json['shipment_id']}", role="storekeeper").json
    assert shown["lines"][0]["trace_codes"] == codes
    assert desk.step(order, "close", {"reason": "已完成"}).json["state"] == "closed"


@pytest.mark.requirement("F10", "F27")
def test_parallel_shipments_never_exceed_what_is_ordered(office, desk, product):
    order = desk.confirmed(an_order_line(product))
    barrier = Barrier(5)

    def ship(_):
        barrier.wait()
        return desk.ship(order, a_parcel(quantity=3))

    with ThreadPoolExecutor(5) as pool:
        answers = list(pool.map(ship, range(5)))
    told = sorted(answer.json.get("code", "sent") for answer in answers)
    assert told == ["sent"] * 3 + ["shipment_exceeds_order"] * 2
    assert desk.shown(order)["lines"][0]["shipped_quantity"] == 9
    assert sorted(each["no"] for each in desk.shown(order)["shipments"]) == [1, 2, 3]
    sold = office.value(
        "select sum(l.quantity) from sale_lines l join shipments s using (sale_id)"
        " where s.order_id = cast(:id as uuid)",
        id=order["order_id"],
    )
    assert sold == 9


@pytest.mark.parametrize(
    ("parcels", "status", "code"),
    [
        ([a_parcel(9)], 422, "shipment_line_unknown"),
        ([a_parcel(quantity=6), a_parcel(quantity=5, lot="L2")], 409, "shipment_exceeds_order"),
        ([a_parcel(2, lot="L-OTHER")], 409, "shipment_lot_not_ordered"),
        ([a_parcel(quantity=1, trace_codes=["12345678", "12345679"])], 422, "shipment_trace_codes_invalid"),
        ([a_parcel(quantity=2, trace_codes=["12345678"] * 2)], 422, "shipment_trace_codes_invalid"),
        ([a_parcel(expiry="2020-01-01")], 409, "lot_expired"),
    ],
)
def test_what_may_not_be_shipped_is_refused(desk, product, parcels, status, code):
    lots = [{"lot": "L1", "expiry": LATER}]
    order = desk.confirmed(an_order_line(product), an_order_line(product, 2, lots=lots))
    refused(desk.ship(order, *parcels), status, code)
    assert desk.ship(order, a_parcel(2)).status_code == 201


@pytest.mark.requirement("X9", "F27")
def test_who_confirmed_does_not_ship(desk, product):
    order = desk.confirmed(an_order_line(product))
    refused(desk.ship(order, person="ivy"), 403, "shipment_by_confirmer")


@pytest.mark.requirement("X11")
def test_what_can_change_with_time_is_asked_again_on_the_day_of_the_shipment(office, desk, product):
    customer = desk.customer()
    order = desk.confirmed(an_order_line(product), customer=customer)
    stop = {"stop_sale_id": "0199b1c0-0000-7000-8000-00000000bbbb", "product_id": product, "lots": ["L1"]}
    stopped = {**stop, "reason": "recall", "ordered_at": utc_now().isoformat()}
    assert office.hear(office.envelope("returns.stop_sale.ordered.v1", stopped)).parked == 0
    refused(desk.ship(order), 409, "lot_stopped")
    lifted = {**stop, "lifted_at": utc_now().isoformat()}
    assert office.hear(office.envelope("returns.stop_sale.lifted.v1", lifted)).parked == 0
    assert office.hear(office.permit(customer, version=2, allowed=False)).parked == 0
    refused(desk.ship(order), 409, "trade_not_permitted")
    assert office.hear(office.permit(customer, version=3)).parked == 0
    assert office.hear(office.grant(customer, version=2, on_hold=True)).parked == 0
    refused(desk.ship(order), 409, "credit_on_hold")
    assert office.hear(office.grant(customer, 0, version=3)).parked == 0
    # what was granted with the order is shipped, though nothing more would be granted now
    assert desk.ship(order).status_code == 201
    assert desk.held_fen(customer) == 0


@pytest.mark.requirement("F10")
def test_a_shipped_line_neither_shrinks_nor_changes_what_it_was(desk, product):
    order = desk.confirmed(an_order_line(product))
    assert desk.ship(order, a_parcel(quantity=6)).status_code == 201
    for line in (an_order_line(product, quantity=5), an_order_line(product, product_odd={"maker": "别家"})):
        assert desk.change(order, line).status_code == 200
        assert desk.faults(desk.confirm(order)) == ["order_below_shipped"]
    assert desk.change(order, an_order_line(product, quantity=6)).status_code == 200
    changed = desk.confirm(order).json
    assert (changed["state"], changed["lines"][0]["completed_on"]) == ("shipped", str(TODAY))
    assert desk.change(order, an_order_line(product, quantity=8)).status_code == 200
    assert desk.confirm(order).json["state"] == "part_shipped"


@pytest.mark.requirement("F12")
def test_what_is_shipped_whole_was_sold_at_the_price_of_its_day(desk):
    product, dear = desk.price(), desk.price()
    order = desk.confirmed(an_order_line(product), an_order_line(dear, 2))
    assert desk.ship(order).status_code == 201
    for each in (product, dear):
        desk.price(each, list_price=money(3_000), floor=money(2_000))
    lines = an_order_line(product), an_order_line(dear, 2, quantity=11)
    assert desk.change(order, *lines).status_code == 200
    told = refused(desk.confirm(order), 409, "order_refused")
    assert [each["path"] for each in told["faults"]] == ["lines.2.unit_price"]
    assert desk.change(order, lines[0], {**lines[1], "unit_price": money(3_000)}).status_code == 200
    assert desk.confirm(order).json["total"] == money(43_000)


@pytest.mark.requirement("F10", "F28")
def test_what_an_order_sells_counts_to_who_took_it(office):
    desk = SalesDesk(office, "S-TARGET")
    target = {
        "branch_id": "S-TARGET", "person": "sally", "month": MONTH, "net": money(10_000), "strategy": "hospitals",
    }  # fmt: skip
    desk.done("/sales-targets", target, "business_head")
    order = desk.confirmed(an_order_line(desk.price(), tax_bp=0))
    assert desk.ship(order, a_parcel(quantity=4)).status_code == 201
    progress = office.get(f"/v1/target-comparisons?branch_id=S-TARGET&month={MONTH}", role="management").json
    assert [each["actual"] for each in progress["targets"]] == [money(4_000)]


@pytest.mark.requirement("F10")
def test_delivery_in_time_is_listed_and_counted_by_branch(office):
    desk = SalesDesk(office, "S-TIME")
    product = desk.price()
    today, later = ({"deliver_on": str(day)} for day in (TODAY, SOON))
    first = desk.confirmed(an_order_line(product, **today), an_order_line(product, 2, **later))
    second = desk.confirmed(an_order_line(product, **today))
    late = desk.confirmed(an_order_line(product, **today))
    dropped = desk.confirmed(an_order_line(product, **today))
    assert desk.step(dropped, "cancel", {"reason": "r"}).status_code == 200
    assert desk.ship(first).status_code == 201
    yesterday = business_date(utc_now()) - timedelta(days=1)
    with office.database.begin() as conn:
        conn.exec_driver_sql(
            "update sales_order_lines set deliver_on = %s where order_id = %s", (yesterday, late["order_id"])
        )
    asked = "/v1/due-shipments?branch_id=S-TIME"
    page = office.get(f"{asked}&limit=1", role="storekeeper").json
    [due] = page["items"]
    assert (due["order_id"], due["late_days"], due["left_quantity"]) == (late["order_id"], 1, 10)
    assert due["product_id"] == late["lines"][0]["product"]["product_id"]
    rest = office.get(f"{asked}&cursor={page['next_cursor']}", role="storekeeper").json
    assert [(each["order_id"], each["late_days"]) for each in rest["items"]] == [(second["order_id"], 0)]
    until = office.get(f"{asked}&until={SOON}", role="storekeeper").json["items"]
    assert (until[-1]["order_id"], until[-1]["line_no"]) == (first["order_id"], 2)
    [row] = office.get(f"/v1/shipment-figures?month={MONTH}&branch_id=S-TIME").json["branches"]
    in_month = [day for day in (TODAY, TODAY, yesterday, SOON) if f"{day:%Y-%m}" == MONTH]
    assert (row["due"], row["on_time"], row["shipped"]) == (len(in_month), 1, 1)
    assert row["late"] == (f"{yesterday:%Y-%m}" == MONTH)
    assert 0 <= row["waited_s"] <= 60
    for cursor in ("WyJ4IiwieCIsIngiXQ", "WyIyMDI2LTAxLTAxIiwieCIsIjEiXQ"):
        refused(office.get(f"{asked}&cursor={cursor}", role="storekeeper"), 422, "cursor_invalid")


@pytest.mark.requirement("X11", "F24")
@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_delivery_note_says_what_gsp_asks_of_it(office, desk, product, language):
    order = desk.confirmed(an_order_line(product))
    sent = desk.ship(order, a_parcel(quantity=10, trace_codes=["81234567890123456789"])).json
    paper = office.get(f"/v1/shipments/{sent['shipment_id']}/pdf?lang={language}", role="storekeeper")
    assert (paper.status_code, paper.mimetype) == (200, "application/pdf")
    assert paper.data.startswith(b"%PDF")
    refused(
        office.get("/v1/shipments/0199b1c0-0000-7000-8000-00000000dead/pdf", role="storekeeper"),
        404,
        "shipment_not_found",
    )
