"""Sales orders through their gate, on real PostgreSQL: every refusal, and every way around a limit that is none."""

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from sqlalchemy import text

from shared.clock import utc_now
from tests.support.contracts import a_contract_line, signed
from tests.support.debtors import sell_on_credit
from tests.support.finance_builders import a_line, money
from tests.support.ordering import (
    LATER,
    TODAY,
    SalesDesk,
    a_parcel,
    an_order_line,
    refused,
)
from tests.support.roles import behind
from tests.support.watermarks import level_with, not_level_with

END = {"reason": "客户取消"}


@pytest.fixture(scope="module")
def desk(office):
    return SalesDesk(office)


@pytest.fixture
def product(desk):
    return desk.price()


def at_once(*calls):
    """Run the calls together, each with a connection of its own; their answers in order."""
    barrier = Barrier(len(calls))

    def run(call):
        barrier.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def codes(answers):
    """How many answers had each status; a refusal of the gate by its faults."""
    told = [
        tuple(each["code"] for each in answer.json["faults"])
        if answer.json.get("code") == "order_refused"
        else answer.json.get("code", "done")
        for answer in answers
    ]
    return {code: told.count(code) for code in told}


def told(office, order, kind):
    rows = office.rows(
        "select data, amount_fen from outbox where type = :type and subject = :id order by id",
        type=f"finance.order.{kind}.v1",
        id=order["order_id"],
    )
    return [row[1] for row in rows]


# --- the way of an order ----------------------------------------------------------------------------


@pytest.mark.requirement("F10", "F27")
def test_an_order_is_checked_and_confirmed_by_another_person_and_holds_credit(office, desk, product):
    customer = desk.customer()
    order = desk.drafted(an_order_line(product), customer=customer)
    assert (order["state"], order["lines"], desk.held_fen(customer)) == ("draft", [], 0)
    checked = desk.done(f"/orders/{order['order_id']}/check", role="invoicing_clerk")
    assert (checked["state"], checked["faults"], desk.held_fen(customer)) == ("checked", [], 0)
    confirmed = desk.confirm(order).json
    assert (confirmed["state"], confirmed["total"], confirmed["proposal"]) == (
        "confirmed",
        money(10_000),
        None,
    )
    assert (confirmed["permission_version"], confirmed["confirmed_by"]) == (1, "ivy")
    assert confirmed["revisions"][0]["permission"] == {
        "version": 1, "on": str(TODAY), "kind": "hospital", "categories": ["otc"], "valid_until": None,
    }  # fmt: skip
    [judged] = confirmed["revisions"][0]["prices"]
    assert (judged["verdict"], judged["list_price"], judged["floor"]) == ("free", money(1_000), money(800))
    assert desk.held_fen(customer) == 10_000
    assert told(office, order, "confirmed") == [10_000]


@pytest.mark.requirement("F12", "X9")
@pytest.mark.parametrize("changes", [False, True])
def test_who_asks_does_not_confirm(desk, product, changes):
    order = desk.drafted(an_order_line(product), role="store_manager", person="boss")
    asker = "boss"
    if changes:
        asker = "other"
        assert (
            desk.change(order, an_order_line(product), role="store_manager", person=asker).status_code == 200
        )
    refused(desk.confirm(order, role="store_manager", person=asker), 403, "order_confirmed_by_requester")


@pytest.mark.requirement("F27")
def test_all_faults_are_told_at_once(desk, product):
    customer = desk.customer(5_000, categories=["prescription"])
    lines = [
        an_order_line(product, unit_price=money(700), lots=[{"lot": "L-OLD", "expiry": "2020-01-01"}]),
        an_order_line("P-UNHEARD", 2, tax_bp=777),
        an_order_line(product, 3, unit_discount=money(150)),
        an_order_line(product, 4, contract_line=1),
    ]
    order = desk.drafted(*lines, customer=customer)
    checked = desk.done(f"/orders/{order['order_id']}/check", role="invoicing_clerk")
    found = [(each["code"], each["path"]) for each in checked["faults"]]
    assert found == [
        ("vat_rate_unknown", "lines.2.tax_bp"),
        ("trade_not_permitted", "customer_id"),
        ("price_not_set", "lines.2.product"),
        ("price_below_floor", "lines.1.unit_price"),
        ("discount_not_approved", "lines.3.unit_price"),
        ("lot_expired", "lines.1.lots"),
        ("order_contract_differs", "lines.4.contract_line"),
        ("credit_limit_exceeded", "customer_id"),
    ]
    assert (checked["state"], desk.held_fen(customer)) == ("draft", 0)
    assert desk.faults(desk.confirm(order)) == sorted(code for code, _ in found)


@pytest.mark.requirement("X11")
def test_trade_permission_is_that_of_the_orders_day(office, desk, product):
    ended = desk.customer(valid_until=str(TODAY - timedelta(days=1)))
    order = desk.drafted(an_order_line(product), customer=ended)
    assert desk.faults(desk.confirm(order)) == ["trade_not_permitted"]
    assert office.hear(office.permit(ended, version=2, valid_until=str(TODAY))).parked == 0
    confirmed = desk.confirm(order)
    assert (confirmed.status_code, confirmed.json["permission_version"]) == (200, 2)


def test_a_customer_nobody_told_us_of_is_unknown_or_not_known_yet(office, desk, product):
    stranger = "0199b1c0-0000-7000-8000-00000000dead"
    order = desk.drafted(an_order_line(product), customer=stranger)
    not_level_with(office.database, "customers")
    refused(desk.confirm(order), 503, "customer_not_yet_known")
    level_with(office.database, "customers")
    assert desk.faults(desk.confirm(order)) == ["credit_not_granted", "customer_unknown"]


@pytest.mark.requirement("F27")
def test_a_stopped_lot_is_not_ordered(office, desk, product):
    stop = {
        "stop_sale_id": "0199b1c0-0000-7000-8000-00000000aaaa",
        "product_id": product,
        "lots": ["L-STOP"],
        "reason": "recall",
        "ordered_at": utc_now().isoformat(),
    }
    assert office.hear(office.envelope("returns.stop_sale.ordered.v1", stop)).parked == 0
    order = desk.drafted(an_order_line(product, lots=[{"lot": "L-STOP", "expiry": LATER}]))
    assert desk.faults(desk.confirm(order)) == ["lot_stopped"]


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        ([an_order_line(), an_order_line()], "order_line_repeated"),
        ([an_order_line(unit_discount=money(1_001))], "order_discount_too_large"),
        ([an_order_line(deliver_on=str(TODAY - timedelta(days=1)))], "order_delivery_in_past"),
        (
            [an_order_line(no=no, quantity=10**6, unit_price=money(10**10)) for no in (1, 2)],
            "order_too_large",
        ),
        ([an_order_line(product_odd={"approval_number": ""})], "validation_failed"),
        ([], "validation_failed"),
    ],
)
def test_what_no_approval_mends_is_refused_at_the_draft(desk, office, lines, code):
    body = {"branch_id": "S001", "customer_id": "0199b1c0-0000-7000-8000-000000000001", "lines": lines}
    answer = office.post("/v1/orders", body, role="salesperson")
    assert answer.status_code == 422, answer.text
    assert answer.json["code"] == code or code == "validation_failed"


def test_steps_that_do_not_follow_are_refused(desk, product):
    order = desk.confirmed(an_order_line(product))
    refused(desk.confirm(order), 409, "order_not_ready")
    refused(desk.step(order, "check"), 409, "order_not_ready")
    refused(desk.step(order, "close", END), 409, "order_not_ready")
    refused(desk.step(order, "reopen"), 409, "order_not_ready")
    assert desk.step(order, "cancel", END).status_code == 200
    refused(desk.step(order, "cancel", END), 409, "order_not_ready")
    refused(desk.ship(order), 409, "order_not_ready")
    refused(desk.change(order, an_order_line(product)), 409, "order_not_ready")
    unknown = {"order_id": "0199b1c0-0000-7000-8000-00000000dead"}
    refused(desk.step(unknown, "reopen"), 404, "order_not_found")


# --- approvals --------------------------------------------------------------------------------------


@pytest.mark.requirement("F12", "X9")
def test_a_discount_beyond_ones_authority_takes_the_higher_role(desk, product):
    within = desk.drafted(an_order_line(product, unit_price=money(970)))
    refused(desk.approve(within, "discount", "store_manager"), 409, "order_approval_not_needed")
    assert desk.confirm(within).status_code == 200
    beyond = desk.drafted(an_order_line(product, unit_price=money(950)))
    assert desk.faults(desk.confirm(beyond)) == ["discount_not_approved"]
    refused(desk.approve(beyond, "discount", "salesperson", person="sue"), 403, "approval_role_not_awaited")
    assert desk.approve(beyond, "discount", "store_manager").status_code == 200
    assert desk.confirm(beyond).status_code == 200
    far = desk.drafted(an_order_line(product, unit_price=money(810)))
    refused(desk.approve(far, "discount", "store_manager"), 403, "approval_role_not_awaited")
    refused(desk.approve(far, "discount", "business_head", person="sally"), 403, "approval_same_person")
    refused(desk.approve(far, "discount", "business_head", approved=False), 422, "approval_reason_missing")
    assert desk.approve(far, "discount", "business_head").status_code == 200
    assert desk.confirm(far).status_code == 200


@pytest.mark.requirement("F12", "X9")
def test_below_the_floor_two_heads_approve_this_content_alone(desk, product):
    order = desk.drafted(an_order_line(product, unit_price=money(799)))
    assert desk.faults(desk.confirm(order)) == ["price_below_floor"]
    assert desk.approve(order, "below_floor", "business_head", person="ann").status_code == 200
    refused(desk.approve(order, "below_floor", "finance_head", person="ann"), 403, "approval_same_person")
    assert desk.faults(desk.confirm(order)) == ["price_below_floor"]
    assert desk.approve(order, "below_floor", "finance_head", person="fay").status_code == 200
    # one fen less is another order
    assert desk.change(order, an_order_line(product, unit_price=money(798))).status_code == 200
    assert [each["counts"] for each in desk.shown(order)["approvals"]] == [False, False]
    assert desk.faults(desk.confirm(order)) == ["price_below_floor"]
    for role in ("finance_head", "business_head"):
        assert desk.approve(order, "below_floor", role).status_code == 200
    assert desk.confirm(order).json["state"] == "confirmed"


def test_a_rejected_price_stays_rejected_until_the_order_changes(desk, product):
    order = desk.drafted(an_order_line(product, unit_price=money(950)))
    assert desk.approve(order, "discount", "store_manager").status_code == 200
    no = desk.approve(order, "discount", "business_head", approved=False, reason="价格过低")
    assert no.status_code == 200
    assert desk.faults(desk.confirm(order)) == ["discount_not_approved"]
    refused(desk.approve(order, "discount", "store_manager"), 409, "approval_already_decided")


@pytest.mark.requirement("F27")
def test_an_override_of_credit_takes_two_heads_and_ends(office, desk, product):
    customer = desk.customer(9_999)
    order = desk.drafted(an_order_line(product), customer=customer)
    assert desk.faults(desk.confirm(order)) == ["credit_limit_exceeded"]
    too_long = (utc_now() + timedelta(days=30)).isoformat()
    answer = desk.approve(order, "credit", "finance_head", until=too_long)
    refused(answer, 422, "order_override_until_invalid")
    soon = (utc_now() + timedelta(hours=1)).isoformat()
    assert desk.approve(order, "credit", "finance_head", until=soon).status_code == 200
    assert desk.faults(desk.confirm(order)) == ["credit_limit_exceeded"]
    assert desk.approve(order, "credit", "business_head").status_code == 200
    confirmed = desk.confirm(order).json
    assert confirmed["revisions"][0]["override_id"] is not None
    # the approval is of this order: the next one finds no room
    another = desk.drafted(an_order_line(product, quantity=1), customer=customer)
    assert desk.faults(desk.confirm(another)) == ["credit_limit_exceeded"]
    # a hold passes no override
    assert office.hear(office.grant(customer, 9_999, version=2, on_hold=True)).parked == 0
    refused(desk.ship(order), 409, "credit_on_hold")


@pytest.mark.requirement("F12", "F27")
def test_what_waits_for_an_approval_is_listed_with_the_roles_that_may_give_it(office):
    desk = SalesDesk(office, "S-WAITS")
    product, customer = desk.price(), desk.customer(9_999)

    def waiting(**asked):
        query = "&".join(f"{name}={value}" for name, value in asked.items())
        path = f"/v1/orders?waits_for=decision&branch_id=S-WAITS&{query}"
        return office.get(path, role="finance_head").json

    def awaited():
        return {
            each["order_id"]: {one["matter"]: one["roles"] for one in each["awaited"]}
            for each in waiting()["items"]
        }

    desk.drafted(an_order_line(product, quantity=1))
    lowered = desk.drafted(an_order_line(product, unit_price=money(810)))
    beyond = desk.drafted(an_order_line(product), customer=customer)
    floor = desk.drafted(an_order_line(product, unit_price=money(799)))
    heads = ["business_head", "finance_head"]
    assert awaited() == {
        lowered["order_id"]: {"discount": ["business_head"]},
        beyond["order_id"]: {"credit": heads},
        floor["order_id"]: {"below_floor": heads},
    }
    first = waiting(limit=2)
    assert [each["order_id"] for each in first["items"]] == [lowered["order_id"], beyond["order_id"]]
    [last] = waiting(limit=2, cursor=first["next_cursor"])["items"]
    assert last["order_id"] == floor["order_id"]
    assert desk.approve(lowered, "discount", "business_head").status_code == 200
    assert desk.approve(beyond, "credit", "finance_head").status_code == 200
    no = desk.approve(floor, "below_floor", "business_head", approved=False, reason="价格过低")
    assert no.status_code == 200
    assert awaited() == {beyond["order_id"]: {"credit": ["business_head"]}}
    assert desk.approve(beyond, "credit", "business_head").status_code == 200
    assert awaited() == {}


@pytest.mark.requirement("F27")
def test_what_took_an_approval_is_listed_with_who_gave_it(office):
    desk = SalesDesk(office, "S-RISK")
    product, customer = desk.price(), desk.customer(15_000)
    desk.confirmed(an_order_line(product, quantity=1), customer=customer)
    lines = an_order_line(product, unit_price=money(700)), an_order_line(product, 2, unit_price=money(900))
    order = desk.drafted(*lines, customer=customer)
    for role in ("business_head", "finance_head"):
        for matter in ("below_floor", "credit"):
            assert desk.approve(order, matter, role).status_code == 200
    assert desk.confirm(order).status_code == 200
    path = f"/v1/order-exceptions?month={TODAY:%Y-%m}&branch_id=S-RISK"
    page = office.get(f"{path}&limit=1", role="finance_auditor").json
    [found] = page["items"]
    assert (found["number"], found["below_floor"], found["discounts"]) == (order["number"], 1, 1)
    assert (found["has_override"], found["approved_by"]) == (True, ["the-business_head", "the-finance_head"])
    desk.change(order, lines[0], {**lines[1], "quantity": 9})
    for role in ("business_head", "finance_head"):
        assert desk.approve(order, "below_floor", role).status_code == 200
    assert desk.confirm(order).status_code == 200
    first = office.get(f"{path}&limit=1", role="finance_auditor").json
    second = office.get(f"{path}&cursor={first['next_cursor']}", role="finance_auditor").json
    assert [each["version"] for each in first["items"] + second["items"]] == [1, 2]


# --- ways around a limit that are none --------------------------------------------------------------


@pytest.mark.requirement("F27")
def test_parallel_confirmations_never_exceed_the_limit(desk, product):
    customer = desk.customer(35_000)
    drafts = [desk.drafted(an_order_line(product), customer=customer) for _ in range(6)]
    answers = at_once(*(lambda each=each: desk.confirm(each, version=1) for each in drafts))
    assert codes(answers) == {"done": 3, ("credit_limit_exceeded",): 3}
    assert desk.held_fen(customer) == 30_000


@pytest.mark.requirement("F27")
def test_closing_and_reopening_takes_nobody_past_the_limit(desk, product):
    customer = desk.customer(10_000)
    first = desk.confirmed(an_order_line(product), customer=customer)
    assert desk.ship(first, a_parcel(quantity=1)).status_code == 201
    assert desk.step(first, "close", END).json["state"] == "closed"
    assert (desk.held_fen(customer), desk.used_fen(customer)) == (0, 1_000)
    second = desk.confirmed(an_order_line(product, quantity=9), customer=customer)
    reopened = desk.step(first, "reopen")
    assert (reopened.json["state"], desk.used_fen(customer)) == ("draft", 10_000)
    refused(desk.ship(first, a_parcel(quantity=1)), 409, "order_not_ready")
    assert desk.faults(desk.confirm(first)) == ["credit_limit_exceeded"]
    # nor by cancelling and reopening the other while the first takes its room
    assert desk.step(second, "cancel", END).status_code == 200
    assert desk.confirm(first).json["state"] == "part_shipped"
    assert desk.step(second, "reopen").json["state"] == "draft"
    assert desk.faults(desk.confirm(second)) == ["credit_limit_exceeded"]
    assert desk.used_fen(customer) == 10_000


@pytest.mark.requirement("F27")
def test_raising_a_confirmed_order_is_judged_as_a_whole_and_lowering_gives_back(office, desk, product):
    customer = desk.customer(10_000)
    order = desk.confirmed(an_order_line(product), customer=customer)
    assert desk.change(order, an_order_line(product, quantity=11)).json["state"] == "confirmed"
    assert desk.faults(desk.confirm(order)) == ["credit_limit_exceeded"]
    assert (desk.shown(order)["lines"][0]["quantity"], desk.held_fen(customer)) == (10, 10_000)
    assert desk.change(order, an_order_line(product, quantity=4)).status_code == 200
    refused(desk.confirm(order, person="sally"), 403, "order_confirmed_by_requester")
    assert desk.confirm(order).json["lines"][0]["quantity"] == 4
    assert desk.held_fen(customer) == 4_000
    assert told(office, order, "changed") == [4_000]
    # a higher price is more credit, too
    lines = an_order_line(product, quantity=4), an_order_line(product, 2, quantity=5, unit_price=money(1_500))
    assert desk.change(order, *lines).status_code == 200
    assert desk.faults(desk.confirm(order)) == ["credit_limit_exceeded"]


@pytest.mark.requirement("F27")
def test_splitting_an_order_or_selling_beside_it_finds_no_room(office, desk, product):
    customer = desk.customer(10_000)
    order = desk.confirmed(an_order_line(product, quantity=8), customer=customer)
    for _ in range(2):
        desk.confirmed(an_order_line(product, quantity=1), customer=customer)
    split = desk.drafted(an_order_line(product, quantity=1), customer=customer)
    assert desk.faults(desk.confirm(split)) == ["credit_limit_exceeded"]
    line = a_line(quantity=1, unit_price=money(1_000), discount=money(0), expiry=LATER)
    receipt = {
        "receipt_number": "R-beside", "branch_id": "S001", "channel": "store", "sold_at": utc_now().isoformat(),
        "lines": [line], "tenders": [{"tender": "credit", "amount": money(1_000)}], "customer_id": customer,
    }  # fmt: skip
    refused(office.post("/v1/sales", receipt), 409, "credit_limit_exceeded")
    # what was reserved still ships
    assert desk.ship(order, a_parcel(quantity=8)).status_code == 201
    assert (desk.held_fen(customer), desk.used_fen(customer)) == (2_000, 10_000)


@pytest.mark.requirement("F27")
def test_an_order_races_a_sale_on_credit_and_one_of_them_waits(office, desk, product):
    customer = desk.customer(10_000)
    order = desk.drafted(an_order_line(product, quantity=6), customer=customer)
    line = a_line(quantity=1, unit_price=money(6_000), discount=money(0), expiry=LATER)
    receipt = {
        "branch_id": "S001", "channel": "store", "sold_at": utc_now().isoformat(), "lines": [line],
        "tenders": [{"tender": "credit", "amount": money(6_000)}], "customer_id": customer,
    }  # fmt: skip
    answers = at_once(
        lambda: desk.confirm(order, version=1),
        *(
            lambda no=no: office.post("/v1/sales", {**receipt, "receipt_number": f"R-race-{no}"})
            for no in range(3)
        ),
    )
    assert sum(answer.status_code < 300 for answer in answers) == 1
    assert desk.used_fen(customer) == 6_000


@pytest.mark.requirement("F27")
def test_whatever_six_people_do_to_one_customers_orders_at_once_ends_within_the_limit(office, desk, product):
    customer = desk.customer(20_000)
    made = [desk.drafted(an_order_line(product, quantity=4), customer=customer) for _ in range(8)]

    def raise_it(order):
        line = an_order_line(product, quantity=dice.randrange(4, 9))
        return desk.change(order, line)

    steps = [
        desk.confirm,
        desk.confirm,
        raise_it,
        lambda order: desk.ship(order, a_parcel(quantity=1)),
        lambda order: desk.step(order, "cancel", END),
        lambda order: desk.step(order, "close", END),
        lambda order: desk.step(order, "reopen"),
    ]
    dice = random.Random(7)
    plan = [(dice.choice(steps), dice.choice(made)) for _ in range(120)]
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda pair: pair[0](pair[1]), plan))
    assert {answer.status_code for answer in answers} <= {200, 201, 409}
    assert sum(answer.status_code < 300 for answer in answers) > 10
    assert desk.used_fen(customer) <= 20_000
    assert desk.held_fen(customer) == office.value(
        "select coalesce(sum((l.quantity - l.shipped_quantity) * (l.unit_price_fen - l.unit_discount_fen)), 0)::bigint"
        " from sales_orders o join sales_order_lines l using (order_id) where o.customer_id = cast(:id as uuid)"
        " and o.state in ('confirmed', 'part_shipped', 'shipped')",
        id=customer,
    )


@pytest.mark.requirement("F27")
def test_of_two_parallel_changes_one_is_seen(desk, product):
    order = desk.drafted(an_order_line(product))
    answers = at_once(
        *(lambda n=n: desk.change(order, an_order_line(product, quantity=n), version=1) for n in (5, 6))
    )
    assert codes(answers) == {"done": 1, "order_changed": 1}
    # nor is what was approved confirmed as something else
    answers = at_once(
        lambda: desk.confirm(order, version=2),
        lambda: desk.change(order, an_order_line(product, quantity=900), version=2),
    )
    [line] = desk.shown(order)["lines"] or [{"quantity": None}]
    assert line["quantity"] != 900
    assert "done" in codes(answers)


def test_a_confirmation_of_a_version_that_is_gone_is_refused(desk, product):
    order = desk.drafted(an_order_line(product))
    assert desk.change(order, an_order_line(product, quantity=3)).status_code == 200
    refused(desk.confirm(order, version=1), 409, "order_changed")


@pytest.mark.requirement("F27")
def test_overdue_debts_and_missing_credit_stop_an_order(office, desk, product):
    customer = desk.customer(10**9)
    sell_on_credit(office, customer, 5_000, on=TODAY - timedelta(days=90))
    assert office.hear(office.grant(customer, 10**9, version=2, overdue_tolerance_fen=4_999)).parked == 0
    order = desk.drafted(an_order_line(product), customer=customer)
    assert desk.faults(desk.confirm(order)) == ["credit_overdue"]
    ended = str(TODAY - timedelta(days=1))
    assert office.hear(office.grant(customer, 10**9, version=3, valid_until=ended)).parked == 0
    assert desk.faults(desk.confirm(order)) == ["credit_not_granted"]


def test_cancelling_and_closing_free_what_is_held_and_are_told(office, desk, product):
    customer = desk.customer()
    order = desk.confirmed(an_order_line(product), customer=customer)
    assert desk.step(order, "cancel", END).json["ended_reason"] == END["reason"]
    assert (desk.held_fen(customer), told(office, order, "cancelled")) == (0, [10_000])
    order = desk.confirmed(an_order_line(product), customer=customer)
    assert desk.ship(order, a_parcel(quantity=3)).status_code == 201
    refused(desk.step(order, "cancel", END), 409, "order_not_ready")
    assert desk.step(order, "close", END).json["state"] == "closed"
    assert (desk.held_fen(customer), told(office, order, "closed")) == (0, [7_000])
    # a re-opened order that has shipped is closed again, not cancelled
    assert desk.step(order, "reopen").status_code == 200
    refused(desk.step(order, "cancel", END), 409, "order_not_ready")
    assert desk.step(order, "close", END).status_code == 200
    draft = desk.drafted(an_order_line(product), customer=customer)
    waiting = f"/v1/orders?waits_for=confirmation&customer_id={customer}"
    listed = office.get(waiting, role="salesperson").json["items"]
    assert [each["order_id"] for each in listed] == [draft["order_id"]]
    assert desk.step(draft, "cancel", END).json["state"] == "cancelled"
    assert office.get(waiting, role="salesperson").json["items"] == []
    assert desk.step(draft, "reopen").json["proposal"][0]["quantity"] == 10


def test_orders_that_an_older_release_stored_are_read_shipped_and_re_opened(office, desk, product):
    """Their lines call a product's id `id`."""
    draft, order = desk.drafted(an_order_line(product)), desk.confirmed(an_order_line(product))
    old = "(({0} - 'product_id') || jsonb_build_object('id', {0} -> 'product_id'))"
    with behind(office.database) as conn:
        whole = (
            "select jsonb_agg(jsonb_set(x, '{product}', "
            + old.format("(x -> 'product')")
            + ")) from jsonb_array_elements"
        )
        proposal = f"update sales_orders set proposal = ({whole}(proposal) x) where order_id = any(:ids) and proposal is not null"
        orders = {"ids": [draft["order_id"], order["order_id"]]}
        conn.execute(text(proposal.replace(":ids", "cast(:ids as uuid[])")), orders)
        lines = f"update sales_order_lines set product = {old.format('product')} where order_id = any(cast(:ids as uuid[]))"
        assert conn.execute(text(lines), orders).rowcount == 1
    shown = office.get(f"/v1/orders/{order['order_id']}").json
    assert [each["product"]["product_id"] for each in shown["lines"]] == [product]
    assert desk.ship(order, a_parcel(quantity=3)).status_code == 201
    assert (
        office.get(f"/v1/orders/{draft['order_id']}").json["proposal"][0]["product"]["product_id"] == product
    )
    assert desk.confirm(draft).status_code == 200


# --- contracts --------------------------------------------------------------------------------------


@pytest.mark.requirement("F10", "F12")
def test_an_order_takes_from_its_contract_and_gives_back(office, desk):
    product = desk.price(list_price=money(3_000))
    customer = desk.customer()
    lines = a_contract_line(product_id=product), a_contract_line(2)
    contract_id = signed(office, customer, *lines)
    held = "select ordered, shipped from contract_fulfilment where contract_id = cast(:id as uuid) and line_no = 1"

    def progress():
        return office.rows(held, id=contract_id)[0]

    contracted = {"unit_price": money(1_990), "contract_line": 1}
    order = desk.drafted(
        an_order_line(product, quantity=60, **contracted), customer=customer, contract_id=contract_id
    )
    assert desk.done(f"/orders/{order['order_id']}/check", role="invoicing_clerk")["faults"] == []
    assert progress() == (0, 0)
    # a price of a signed contract is far below the list price and needs nobody
    assert desk.confirm(order).status_code == 200
    assert progress() == (60, 0)
    assert desk.ship(order, a_parcel(quantity=20, cost=money(1))).status_code == 201
    assert progress() == (60, 20)
    more = an_order_line(product, quantity=101, **contracted)
    assert desk.change(order, more).status_code == 200
    assert desk.faults(desk.confirm(order)) == ["contract_quantity_exceeded"]
    assert desk.change(order, {**more, "quantity": 50}).status_code == 200
    assert desk.confirm(order).status_code == 200
    assert progress() == (50, 20)
    assert desk.step(order, "close", END).status_code == 200
    assert progress() == (20, 20)
    wrong = [
        an_order_line(product, contract_line=1, unit_price=money(2_990)),
        an_order_line(product, 2, contract_line=9, unit_price=money(2_950)),
        an_order_line(product, 3, contract_line=2, unit_price=money(1_990)),
    ]
    order = desk.drafted(*wrong, customer=customer, contract_id=contract_id)
    assert desk.faults(desk.confirm(order)) == [
        "contract_line_unknown",
        "contract_price_differs",
        "order_contract_differs",
    ]
    others = desk.drafted(an_order_line(product, **contracted), contract_id=contract_id)
    assert desk.faults(desk.confirm(others)) == ["order_contract_differs"]


@pytest.mark.requirement("F13")
def test_what_a_contract_order_owes_is_due_by_the_contract(office, desk):
    product, customer = desk.price(list_price=money(3_000)), desk.customer()
    contract_id = signed(office, customer, a_contract_line(product_id=product))
    line = an_order_line(product, unit_price=money(1_990), contract_line=1)
    order = desk.confirmed(line, customer=customer, contract_id=contract_id)
    assert desk.ship(order).status_code == 201
    due = office.rows(
        "select due_on, amount_fen from receivable_items where customer_id = cast(:id as uuid) order by due_on",
        id=customer,
    )
    assert due == [(TODAY, 5_970), (TODAY + timedelta(days=60), 13_930)]
