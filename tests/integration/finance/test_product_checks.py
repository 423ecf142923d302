"""What is sold, ordered or given is what the catalogue says of the product on its day."""

import os
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from finance.product_checks import jobs
from finance.products import earliest
from shared.clock import utc_now
from shared.identity import system_actor
from shared.transaction import Tx
from tests.support.cataloguing import Catalogue
from tests.support.disguises import (
    BEFORE,
    CONTRADICTS,
    DISGUISES,
    DRUG,
    MALFORMED,
    REVIEW,
    TODAY,
    UNKNOWN,
    VITAMIN,
    fill,
    keep_version,
    set_mode,
    told,
)
from tests.support.finance_builders import CUSTOMER, a_line, a_receipt, money, ndjson, refused
from tests.support.ordering import SalesDesk, an_order_line
from tests.support.redeeming import earned, paid_with, redeemed

EXAMPLES_MAX = int(os.environ.get("APOTHECA_TEST_EXAMPLES", "12"))
WARNED_FROM, ENFORCED_FROM = "2025-01-01", "2026-01-01"


@pytest.fixture(scope="module", autouse=True)
def catalogue(office):
    fill(office)
    set_mode(office, "warn", WARNED_FROM)
    set_mode(office, "enforce", ENFORCED_FROM)
    office.sell(lines=[a_line(product=VITAMIN)])
    return Catalogue(office)


def code_of(answer):
    if answer.status_code in {200, 201}:
        return None
    if answer.json["code"] in {"payload_invalid", "validation_failed"}:
        return MALFORMED
    return answer.json["code"]


def reviewed(product, sold_at="2026-03-03T02:15:00Z", **odd):
    """A line on a prescription that a pharmacist reviewed at the instant of the sale."""
    return a_line(product=product, prescription=REVIEW | {"reviewed_at": sold_at}, **odd)


def at_the_till(office, product, **odd):
    lines = [reviewed(product, **{name: odd[name] for name in odd if name == "sold_at"})]
    return code_of(office.post("/v1/sales", a_receipt(lines=lines, **odd)))


def in_another_branch(office, product):
    return at_the_till(office, product, branch_id="S002")


def online(office, product):
    return at_the_till(office, product, channel="online")


def late(office, product):
    return at_the_till(office, product, late=True)


def beside_another(office, product):
    lines = [a_line(product=VITAMIN), reviewed(product)]
    return code_of(office.post("/v1/sales", a_receipt(lines=lines)))


def in_bulk(office, product, **odd):
    honest = a_receipt(lines=[a_line(product=VITAMIN)])
    lines = [reviewed(product, **{name: odd[name] for name in odd if name == "sold_at"})]
    asked = a_receipt(lines=lines, **odd)
    first, second = office.results(ndjson([honest, asked]))
    assert first["state"] == "posted"
    code = second.get("code")
    return MALFORMED if code == "payload_invalid" else code


def with_points(office, product):
    sale = str(uuid4())
    office.hear(earned(office, sale, 300))
    redemption = redeemed(office, (sale, 300))
    office.hear(redemption)
    line = a_line(product=product, quantity=1, unit_price=money(300), discount=money(0))
    return code_of(office.post("/v1/sales", paid_with(redemption, lines=[line])))


def on_an_order(office, product):
    body = {"branch_id": "S001", "customer_id": str(uuid4()), "lines": [an_order_line(product_odd=product)]}
    drafted = office.post("/v1/orders", body, role="salesperson", person="sally")
    if drafted.status_code != 201:
        return code_of(drafted)
    checked = office.post(f"/v1/orders/{drafted.json['order_id']}/check", role="salesperson", person="sally")
    codes = {fault["code"] for fault in checked.json["faults"]}
    return next((code for code in (CONTRADICTS, UNKNOWN) if code in codes), None)


def as_a_sample(office, product):
    body = {
        "branch_id": "S001",
        "kind": "product",
        "recipient": "internal",
        "customer_id": None,
        "purpose": "laboratory",
        "lot": "L1",
        "expiry": "2099-12-31",
        "quantity": 1,
        "reason": "r",
        **{name: product[name] for name in ("product_id", "generic_name", "category")},
    }
    return code_of(office.post("/v1/samples", body, role="salesperson", person=f"p-{uuid4().hex[:8]}"))


def in_a_promotion(office, product):
    body = {
        "code": f"C-{uuid4().hex[:10].upper()}",
        "branch_id": "S001",
        "from": str(TODAY),
        "until": str(TODAY),
        "products": [product["product_id"]],
        "baseline_net": money(1),
        "baseline_margin": money(1),
        "uplift_bp": 1,
        "budget": money(1),
    }
    return code_of(office.post("/v1/promotion-plans", body, role="accountant"))


EVERYTHING = frozenset(DRUG)
DOORS = {
    at_the_till: EVERYTHING,
    in_another_branch: EVERYTHING,
    online: EVERYTHING,
    late: EVERYTHING,
    beside_another: EVERYTHING,
    in_bulk: EVERYTHING,
    with_points: EVERYTHING,
    on_an_order: EVERYTHING,
    as_a_sample: frozenset({"product_id", "generic_name", "category"}),
    in_a_promotion: frozenset({"product_id"}),
}
"""Each door with what it asks for of a product. Offers, redemptions and returns ask for nothing: see tests/unit."""
POINTS_NEVER = {"otc", "otc_a", "rx", "prescription"}


def answer_at(door, disguise, code):
    """What the door answers: it refuses unless it does not ask for what is different."""
    asked = {name for name in disguise if name in DOORS[door]}
    if not asked or (door is as_a_sample and code == CONTRADICTS and asked == {"product_id"}):
        return {None, CONTRADICTS} if asked else {None}
    if door is in_a_promotion:
        return {code} if code in {UNKNOWN, MALFORMED} else {None}
    if door is on_an_order and disguise.get("approval_number", "") is None:
        return {MALFORMED}  # an order always names one
    if door is with_points and code != MALFORMED and disguise.get("category", "rx") in POINTS_NEVER:
        return {code, "points_not_for_these_goods"}
    return {code}


@pytest.mark.requirement("X11")
@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.__name__)
def test_a_prescription_drug_is_typed_as_nothing_else_at_any_door(office, door):
    wrong = {}
    for what, (disguise, code) in DISGUISES.items():
        found = door(office, DRUG | disguise)
        if found not in answer_at(door, disguise, code):
            wrong[what] = found
    assert wrong == {}
    if door is not with_points:  # points never pay it, as what it is
        assert door(office, DRUG) is None
    assert door(office, VITAMIN) is None


def test_what_is_refused_names_both_values_of_every_field_and_the_day(office):
    disguise = {"category": "otc", "temp_class": "normal", "approval_number": None}
    line = a_line(product=DRUG | disguise)
    answer = refused(office.post("/v1/sales", a_receipt(lines=[line])), 409, CONTRADICTS)
    assert answer["day"] == "2026-03-03"
    assert [(each["field"], each["said"], each["holds"], each["version"]) for each in answer["products"]] == [
        ("category", "otc", "rx", 2),
        ("temp_class", "normal", "cool", 2),
        ("approval_number", None, DRUG["approval_number"], 2),
    ]
    assert [each["path"] for each in answer["errors"]] == [
        "lines.0.product.category",
        "lines.0.product.temp_class",
        "lines.0.product.approval_number",
    ]
    assert all(each in answer["detail"] for each in ("otc", "rx"))


def test_a_receipt_is_held_against_the_version_of_its_own_day(office):
    """However late it comes."""
    then = {"sold_at": "2025-03-03T02:15:00Z"}
    assert at_the_till(office, DRUG | BEFORE, **then) is None
    assert (
        office.get("/v1/product-contradictions?product_id=P-RX&until=2025-03-03", role="qa").json["items"]
        == []
    )
    # names are read, not compared letter by letter
    read = {"specification": "０.25g×24", "generic_name": "阿莫西林 胶囊", "mah": None}
    assert at_the_till(office, DRUG | read) is None


def test_under_warn_it_is_taken_and_listed_once_a_paper_and_not_for_ever(office):
    product_id = f"P-{uuid4().hex[:8]}"
    keep_version(office, DRUG | {"product_id": product_id}, 1, "2024-01-01")
    then = {"sold_at": "2025-04-03T02:15:00Z"}
    wrong = DRUG | {"product_id": product_id, "category": "otc"}
    assert at_the_till(office, wrong, **then) is None
    sold_at = then["sold_at"]
    lines = [reviewed(each, sold_at) for each in (wrong, wrong, {**DRUG, "product_id": "P-NEW"})]
    [posted] = office.results(ndjson([a_receipt("LISTED", lines=lines, **then)]))
    assert posted["state"] == "posted"

    def listed(**asked):
        query = "&".join(f"{name}={value}" for name, value in asked.items())
        return office.get(f"/v1/product-contradictions?{query}", role="qa").json["items"]

    first, second = listed(product_id=product_id)
    difference = {"product_id": product_id, "field": "category", "said": "otc", "holds": "rx", "version": 1}
    assert [each["differing"] for each in (first, second)] == [[difference], [difference]]
    assert (second["reference"], second["day"], second["door"]) == ("LISTED", "2025-04-03", "sale")
    [unknown] = listed(product_id="P-NEW", branch_id="S001")
    assert (unknown["differing"], unknown["reference"]) == ([], "LISTED")
    office.results(ndjson([a_receipt(lines=[reviewed(wrong, sold_at)], **then) for _ in range(30)]))
    assert len(listed(product_id=product_id)) == 20
    # refused ones are told to who sent them, and kept nowhere
    before = office.value("select count(*) from product_contradictions")
    assert at_the_till(office, wrong) == CONTRADICTS
    assert office.value("select count(*) from product_contradictions") == before
    with office.database.begin() as conn:
        tx = Tx(conn=conn, actor=system_actor("finance"), now=utc_now() + jobs.KEPT + timedelta(days=1))
        assert jobs.prune(tx) == before
    assert listed() == []


@pytest.mark.requirement("X11")
def test_retail_hands_out_a_prescription_drug_on_a_reviewed_prescription_alone(office):
    line = a_line(product=DRUG)
    answer = refused(office.post("/v1/sales", a_receipt(lines=[line])), 409, "prescription_review_missing")
    assert [each["path"] for each in answer["errors"]] == ["lines.0.prescription"]
    honest, bare = (a_receipt(lines=[each]) for each in (reviewed(DRUG), line))
    first, second = office.results(ndjson([honest, bare]))
    assert (first["state"], second.get("code")) == ("posted", "prescription_review_missing")
    number = f"R-{uuid4().hex[:8]}"
    taken = a_receipt(number, lines=[a_line(product=DRUG)], sold_at="2025-09-03T02:15:00Z")
    assert office.post("/v1/sales", taken).status_code == 201, "under warn it is taken, and listed"
    listed = office.get(
        "/v1/product-contradictions?product_id=P-RX&from=2025-09-03&until=2025-09-03", role="qa"
    )
    [found] = listed.json["items"]
    assert (found["reference"], found["differing"]) == (
        number,
        [{"product_id": "P-RX", "field": "prescription", "said": None, "holds": "reviewed", "version": 2}],
    )


def test_controlled_drugs_are_sold_within_their_limit_and_to_named_buyers(office):
    product = {**DRUG, "product_id": f"P-{uuid4().hex[:8]}", "category": "precursors"}
    keep_version(office, product, 1, "2024-01-01", "otc_a", "precursor")

    def asked(quantity, **odd):
        lines = [a_line(product=product, quantity=quantity, discount=money(0))]
        return code_of(office.post("/v1/sales", a_receipt(lines=lines, **odd)))

    assert asked(2, customer_id=CUSTOMER) is None
    assert asked(3, customer_id=CUSTOMER) == "controlled_drug_limit"
    assert asked(1) == "controlled_drug_buyer_missing"
    three = a_receipt(lines=[a_line(product=product, quantity=3)], customer_id=CUSTOMER)
    [refused_row] = office.results(ndjson([three]))
    assert refused_row["code"] == "controlled_drug_limit"


def test_a_mode_takes_quality_assurance_and_the_finance_head_and_begins_on_a_day_to_come(office):
    soonest = earliest(utc_now())
    body = {"mode": "off", "effective_from": str(soonest + timedelta(days=30)), "reason": "r"}
    settings_at = "/v1/product-check-settings"
    refused(office.post(settings_at, body, role="purchaser"), 403, "role_not_admitted")
    one = office.post(settings_at, body, role="qa", person="ann").json
    path = f"{settings_at}/{one['setting_id']}/decisions"
    approved = {"decision": "approved", "reason": None}
    refused(office.post(path, approved, role="qa", person="ann"), 403, "approval_same_person")
    assert office.post(path, approved, role="qa", person="bob").json["state"] == "proposed"
    refused(office.post(path, approved, role="qa", person="cid"), 403, "approval_role_not_awaited")
    assert office.post(path, approved, role="finance_head").json["state"] == "approved"
    refused(office.post(path, approved, role="finance_head"), 409, "product_check_setting_decided")
    # laxer, but of yesterday; stricter, but of today
    yesterday = {**body, "effective_from": str(TODAY - timedelta(days=1))}
    refused(office.post(settings_at, yesterday, role="qa"), 422, "product_check_day_passed")
    set_mode(office, "warn", soonest + timedelta(days=10))
    set_mode(office, "off", soonest + timedelta(days=20))
    sooner = {**body, "mode": "enforce", "effective_from": str(soonest + timedelta(days=20))}
    assert office.post(settings_at, sooner, role="qa").status_code == 201
    rejected = office.post(settings_at, sooner, role="qa").json
    no = {"decision": "rejected", "reason": "无"}
    path = f"{settings_at}/{rejected['setting_id']}/decisions"
    assert office.post(path, no, role="finance_head").json["state"] == "rejected"
    listed = office.get(f"{settings_at}?state=approved", role="till").json["items"]
    assert [each["mode"] for each in listed][:2] == ["warn", "enforce"]
    assert {each["role"] for each in listed[0]["decisions"]} == {"qa", "finance_head"}


def test_a_shipment_is_held_against_its_own_day_and_an_order_against_each_check(office):
    desk = SalesDesk(office)
    product_id = desk.price()
    keep_version(office, DRUG | {"product_id": product_id}, 1, "2024-01-01")
    honest = an_order_line(product_odd=DRUG | {"product_id": product_id})
    order = desk.confirmed(honest, customer=desk.customer(categories=["rx"]))
    keep_version(office, DRUG | {"product_id": product_id, "temp_class": "frozen"}, 2, str(TODAY))
    parcel = {"line_no": 1, "lot": "L1", "expiry": "2099-12-31", "quantity": 1, "cost": money(500)}
    shipped = desk.ship(order, parcel)
    [difference] = refused(shipped, 409, CONTRADICTS)["products"]
    assert (difference["said"], difference["holds"], difference["version"]) == ("cool", "frozen", 2)


def test_tills_that_sell_while_a_product_is_approved_sell_it_as_what_it_is(office, catalogue):
    """What a till is told of the product, and what it sells, is of one catalogue, whenever it is approved."""
    product = {**DRUG, "product_id": f"P-{uuid4().hex[:8]}"}
    row = {**told(product), "effective_from": "2026-01-01"}
    proposal = catalogue.told(row)["proposal_id"]
    start = Barrier(9)

    def sell(category):
        start.wait()
        found = set()
        for _ in range(12):
            found.add(at_the_till(office, product | {"category": category}, sold_at=utc_now().isoformat()))
        return found

    def approve():
        start.wait()
        catalogue.decided(f"product-proposals/{proposal}")
        return set()

    with ThreadPoolExecutor(9) as pool:
        waiting = [pool.submit(sell, category) for category in ("rx", "otc") * 4]
        waiting.append(pool.submit(approve))
        found = [each.result() for each in waiting]
    assert set.union(*found[:8:2]) <= {UNKNOWN, None}
    assert set.union(*found[1:8:2]) <= {UNKNOWN, CONTRADICTS}
    assert office.rows("select distinct category from sale_lines where product_id = :id", id=product["product_id"]) in (
        [], [("rx",)]
    )  # fmt: skip
    assert at_the_till(office, product) is None


SAID = st.fixed_dictionaries(
    {
        "product_id": st.sampled_from(["P-RX", "P-VC", "P-rx"]),
        "category": st.sampled_from(["rx", "otc_b", "otc_a"]),
        "temp_class": st.sampled_from(["cool", "normal"]),
        "generic_name": st.sampled_from([DRUG["generic_name"], VITAMIN["generic_name"]]),
        "approval_number": st.sampled_from(
            [None, DRUG["approval_number"], VITAMIN["approval_number"], BEFORE["approval_number"]]
        ),
    }
)
OF_DAYS = {"2025-05-05": None, "2026-01-01": DRUG, "2026-03-03": DRUG, str(TODAY): DRUG}
"""The drug as the catalogue has it on each day; None where contradictions are taken."""
CONTRADICTING = """
select l.product_id, l.category from sale_lines l join sales s using (sale_id)
left join lateral (select * from product_versions v where v.product_id = l.product_id
    and v.effective_from <= s.business_date order by v.version desc limit 1) h on true
where s.business_date >= '2026-01-01' and (h.product_id is null or replace(l.generic_name, ' ', '') <> h.generic_name
    or row(h.category, h.temp_class, h.approval_number) is distinct from row(l.category, l.temp_class, l.approval_number))
union all
select x.product_id, x.category from samples x left join lateral (select * from product_versions v
    where v.product_id = x.product_id and v.effective_from <= x.requested_on order by v.version desc limit 1) h on true
where h.product_id is null or row(h.category, h.generic_name) is distinct from row(x.category, x.generic_name)
"""


def expected(said, drug, asked):
    """What an oracle that knows both products says of what is said of one."""
    product = {"P-RX": drug, "P-VC": VITAMIN}.get(said["product_id"])
    if product is None:
        return UNKNOWN
    return CONTRADICTS if any(said[name] != product[name] for name in asked if name in said) else None


@settings(max_examples=EXAMPLES_MAX, deadline=None, suppress_health_check=list(HealthCheck))
@given(said=SAID, day=st.sampled_from(list(OF_DAYS)))
def test_no_paper_contradicts_the_catalogue_of_its_day(office, said, day):
    drug, sold_at = OF_DAYS[day], utc_now().isoformat() if day == str(TODAY) else f"{day}T02:15:00Z"
    for door in (at_the_till, in_bulk):
        assert door(office, said, sold_at=sold_at) == (drug and expected(said, drug, said))
    named = as_a_sample(office, said)
    assert named == expected(said, DRUG, DOORS[as_a_sample])
    if said["approval_number"]:
        assert on_an_order(office, said) == expected(said, DRUG, said)
    assert office.rows(CONTRADICTING) == []
