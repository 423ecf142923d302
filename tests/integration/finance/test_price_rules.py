"""Prices nobody lowers alone: rules of two persons, strategies, grades, and the floor under every wholesale."""

from datetime import timedelta

import pytest

from shared.clock import utc_now
from tests.support.expenses_builders import a_branch
from tests.support.finance_builders import a_line, a_receipt, money, ndjson
from tests.support.ordering import LATER, TODAY, SalesDesk, a_price_rule, a_product, an_order_line, refused

YESTERDAY = str(TODAY - timedelta(days=1))
STRATEGY = {
    "kind": "price_concession",
    "name": "满百件优惠",
    "min_quantity": 100,
    "discount_bp": 1_500,
    "from": str(TODAY),
    "until": str(TODAY + timedelta(days=9)),
}


@pytest.fixture(scope="module")
def desk(office):
    return SalesDesk(office)


def wholesale(product, fen, **odd):
    line = a_line(
        product={"product_id": product}, quantity=3, unit_price=money(fen), discount=money(0), expiry=LATER
    )
    return a_receipt(
        **{"lines": [line], "channel": "wholesale", "sold_at": utc_now().isoformat(), **odd},
    )


def judged(desk, *lines, customer=None):
    """The verdict on each line of an order, by what stands in its way."""
    order = desk.drafted(*lines, customer=customer)
    faults = desk.done(f"/orders/{order['order_id']}/check", role="invoicing_clerk")["faults"]
    found = {int(each["path"].split(".")[1]): each["code"] for each in faults}
    return [found.get(line["no"], "free") for line in lines]


@pytest.mark.requirement("F12")
def test_a_price_is_proposed_by_one_and_decided_by_another(office, desk):
    product = a_product()
    proposed = desk.done("/price-rules", a_price_rule(product), "business_head", "ann")
    assert proposed["state"] == "proposed"
    assert judged(desk, an_order_line(product)) == ["price_not_set"]
    path = f"/v1/price-rules/{proposed['rule_id']}/decisions"
    same = office.post(path, {"decision": "approved"}, role="finance_head", person="ann")
    refused(same, 403, "approval_same_person")
    mute = office.post(path, {"decision": "rejected"}, role="finance_head")
    refused(mute, 422, "approval_reason_missing")
    assert office.post(path, {"decision": "approved"}, role="finance_head").json["state"] == "approved"
    refused(office.post(path, {"decision": "approved"}, role="finance_head"), 409, "price_rule_decided")
    assert judged(desk, an_order_line(product)) == ["free"]
    unknown = "/v1/price-rules/0199b1c0-0000-7000-8000-00000000dead/decisions"
    refused(office.post(unknown, {"decision": "approved"}, role="finance_head"), 404, "price_rule_not_found")
    listed = office.get(f"/v1/price-rules?product_id={product}&state=approved", role="salesperson").json
    assert [each["decided_by"] for each in listed["items"]] == ["the-finance_head"]


@pytest.mark.requirement("F12")
@pytest.mark.parametrize(
    ("odd", "code"),
    [
        ({"floor": money(1_001)}, "price_rule_invalid"),
        ({"effective_from": YESTERDAY}, "price_rule_backdated"),
    ],
)
def test_a_price_that_reaches_back_or_contradicts_itself_is_refused(office, odd, code):
    body = a_price_rule(a_product(), **odd)
    refused(office.post("/v1/price-rules", body, role="business_head"), 422, code)


def test_prices_are_the_whole_companys(office):
    body = a_price_rule(a_product())
    answer = office.post("/v1/price-rules", body, role="business_head", branches=("S001",))
    refused(answer, 403, "company_not_covered")


@pytest.mark.requirement("F12")
def test_the_newest_price_in_force_counts_and_none_is_ever_changed(office, desk):
    product = desk.price()
    tomorrow = str(TODAY + timedelta(days=1))
    desk.price(product, list_price=money(5_000), floor=money(5_000), effective_from=tomorrow)
    assert judged(desk, an_order_line(product)) == ["free"]
    desk.price(product, list_price=money(2_000), floor=money(1_500))
    assert judged(desk, an_order_line(product)) == ["price_below_floor"]
    with pytest.raises(Exception, match="price_rules"), office.database.begin() as conn:
        conn.exec_driver_sql("update price_rules set floor_fen = 1 where product_id = %s", (product,))
    with pytest.raises(Exception, match="price_rules"), office.database.begin() as conn:
        conn.exec_driver_sql("delete from price_rules where product_id = %s", (product,))


@pytest.mark.requirement("F12")
def test_a_grade_has_prices_of_its_own(office, desk):
    product = desk.price()
    desk.price(product, grade="A", list_price=money(600), floor=money(500))
    customer = desk.customer()
    cheap = an_order_line(product, unit_price=money(600))
    assert judged(desk, cheap, customer=customer) == ["price_below_floor"]
    grade = {"customer_id": customer, "grade": "A", "effective_from": str(TODAY)}
    desk.decided("/price-grades", grade, "grade_id")
    assert judged(desk, cheap, customer=customer) == ["free"]
    refused(office.post("/v1/sales", wholesale(product, 499, customer_id=customer)), 409, "price_below_floor")
    sold = office.post("/v1/sales", wholesale(product, 600, customer_id=customer))
    assert sold.status_code == 201, sold.text
    desk.decided("/price-grades", {**grade, "grade": ""}, "grade_id")
    assert judged(desk, cheap, customer=customer) == ["price_below_floor"]
    listed = office.get(f"/v1/price-grades?customer_id={customer}", role="salesperson").json["items"]
    assert [each["grade"] for each in listed] == ["A", ""]


@pytest.mark.requirement("F11")
def test_a_concession_lowers_the_price_from_its_quantity_on_and_never_below_the_floor(desk):
    product = desk.price()
    lines = [
        an_order_line(product, 1, quantity=100, unit_price=money(850)),
        an_order_line(product, 2, quantity=99, unit_price=money(850)),
        an_order_line(product, 3, quantity=100, unit_price=money(849)),
        an_order_line(product, 4, quantity=100, unit_price=money(799)),
    ]
    assert judged(desk, *lines)[0] == "discount_not_approved"
    desk.decided("/sales-strategies", {**STRATEGY, "products": [product]}, "strategy_id")
    assert judged(desk, *lines) == ["free", *["discount_not_approved"] * 2, "price_below_floor"]
    deep = {**STRATEGY, "products": [product], "discount_bp": 9_000, "kind": "promotion", "min_quantity": 1}
    desk.decided("/sales-strategies", {**deep, "customer_kinds": ["pharmacy"]}, "strategy_id")
    desk.decided("/sales-strategies", {**deep, "branch_id": "S-ELSEWHERE"}, "strategy_id")
    assert judged(desk, lines[2]) == ["discount_not_approved"]
    desk.decided("/sales-strategies", deep, "strategy_id")
    assert judged(desk, *lines) == ["free", "free", "free", "price_below_floor"]
    assert judged(desk, an_order_line(product, unit_price=money(800))) == ["free"]


@pytest.mark.requirement("F11")
@pytest.mark.parametrize(
    "odd",
    [
        {"until": YESTERDAY},
        {"discount_bp": 0},
        {"kind": "service_upgrade", "service": "专车配送"},
        {"kind": "service_upgrade", "discount_bp": 0},
    ],
)
def test_a_strategy_that_contradicts_itself_is_refused(office, odd):
    answer = office.post("/v1/sales-strategies", {**STRATEGY, **odd}, role="business_head")
    refused(answer, 422, "price_rule_invalid")


@pytest.mark.requirement("F11")
def test_more_service_is_a_strategy_that_lowers_no_price(desk):
    better = {**STRATEGY, "kind": "service_upgrade", "discount_bp": 0, "service": "冷链专车配送"}
    decided = desk.decided("/sales-strategies", better, "strategy_id")
    assert (decided["state"], decided["service"]) == ("approved", "冷链专车配送")


@pytest.mark.requirement("F6", "F11")
def test_a_promotion_stays_within_its_plan(office, desk):
    branch, product = a_branch(), desk.price()
    plan = {
        "code": f"C-{branch}", "branch_id": branch, "from": str(TODAY), "until": STRATEGY["until"],
        "products": [product], "baseline_net": money(1), "baseline_margin": money(1), "uplift_bp": 1,
        "budget": money(1_000),
    }  # fmt: skip
    plan_id = desk.done("/promotion-plans", plan, "accountant")["plan_id"]
    strategy = {
        **STRATEGY,
        "kind": "promotion",
        "branch_id": branch,
        "products": [product],
        "plan_id": plan_id,
    }

    def refused_by_plan(**odd):
        answer = office.post("/v1/sales-strategies", {**strategy, **odd}, role="business_head")
        refused(answer, 409, "strategy_plan_invalid")

    refused_by_plan()
    for role in ("finance_head", "cs_manager"):
        desk.done(f"/promotion-plans/{plan_id}/decisions", {"decision": "approved", "reason": None}, role)
    for odd in ({"products": []}, {"branch_id": "S001"}, {"until": str(TODAY + timedelta(days=10))}):
        refused_by_plan(**odd)
    decided = desk.decided("/sales-strategies", strategy, "strategy_id")
    listed = office.get("/v1/sales-strategies?limit=200", role="salesperson", branches=("S001",)).json[
        "items"
    ]
    assert decided["strategy_id"] not in {each["strategy_id"] for each in listed}


@pytest.mark.requirement("F12")
def test_no_wholesale_goes_below_its_price_without_an_order(office, desk):
    """A lower price than the list's takes an approval: posting the sale without an order is no way around it."""
    product = desk.price()
    desk.price(product, customer_kind="pharmacy", list_price=money(900), floor=money(700))
    hospital, pharmacy = desk.customer(), desk.customer(kind="pharmacy")
    patient = desk.customer(kind="patient")
    answers = [
        (750, {"customer_id": hospital}, "price_below_floor", "floor is 800"),
        (750, {"customer_id": hospital, "channel": "store"}, "price_below_floor", "floor is 800"),
        (999, {"customer_id": hospital}, "discount_not_approved", "price is 1000"),
        (1_000, {"customer_id": hospital}, None, None),
        (699, {"customer_id": pharmacy}, "price_below_floor", "floor is 700"),
        (899, {"customer_id": pharmacy}, "discount_not_approved", "price is 900"),
        (900, {"customer_id": pharmacy}, None, None),
        # not to name the buyer is no way around, nor to name one of a kind that has no price
        (750, {}, "price_below_floor", "floor is 800"),
        (999, {}, "discount_not_approved", "price is 1000"),
        (750, {"customer_id": desk.customer(kind="agent")}, "price_below_floor", "floor is 800"),
        (750, {"customer_id": patient}, "price_below_floor", "floor is 800"),
        (750, {"customer_id": patient, "channel": "store"}, None, None),
        (750, {"channel": "store"}, None, None),
    ]
    bulk = []
    for fen, odd, code, least in answers:
        answer = office.post("/v1/sales", wholesale(product, fen, **odd))
        assert answer.json.get("code") == code, answer.text
        if code:
            fault = {"path": "lines.0.unit_price", "message": f"the {least} fen a unit"}
            assert answer.json["errors"] == [fault]
        bulk.append(wholesale(product, fen, **odd))
    told = office.results(ndjson(bulk))
    assert [each.get("code") for each in told] == [code for _, _, code, _ in answers]


@pytest.mark.requirement("F11", "F12")
def test_a_wholesale_without_an_order_gets_the_strategy_of_its_branch_and_quantity(office, desk):
    product, branch, hospital = desk.price(), a_branch(), desk.customer()
    desk.decided("/sales-strategies", {**STRATEGY, "products": [product], "branch_id": branch}, "strategy_id")

    def code(fen, quantity, branch_id):
        receipt = wholesale(product, fen, customer_id=hospital, branch_id=branch_id)
        receipt["lines"][0]["quantity"] = quantity
        receipt["tenders"][0]["amount"] = money(quantity * fen)
        return office.post("/v1/sales", receipt).json.get("code")

    assert code(850, 100, branch) is None
    assert code(849, 100, branch) == "discount_not_approved"
    assert code(850, 99, branch) == "discount_not_approved"
    assert code(850, 100, "S001") == "discount_not_approved"
