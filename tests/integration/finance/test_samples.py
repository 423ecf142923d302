"""Samples: asked for, approved by two, handed out by a third, booked at what they cost, confirmed."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from threading import Barrier
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finance.costs.commands import costing
from finance.sample_issues import rules as issue_rules
from finance.samples import rules
from shared.clock import business_date, month_of, next_month, utc_now
from shared.identity import system_actor
from shared.transaction import Tx
from tests.support.expenses_builders import a_goods_line, a_goods_receipt
from tests.support.finance_builders import a_line, money, refused
from tests.support.ordering import SalesDesk

TODAY = business_date(utc_now())
MEANING = "(select meaning from accounts where code = l.account limit 1)"
REQUESTER = {"role": "salesperson", "person": "sally"}


def a_sample(product="P-1", **odd):
    return {
        "branch_id": "S001",
        "kind": "product",
        "recipient": "internal",
        "customer_id": None,
        "purpose": "laboratory",
        "product_id": product,
        "generic_name": "阿莫西林胶囊",
        "category": "rx",
        "lot": "L1",
        "expiry": "2099-12-31",
        "quantity": 3,
        "reason": "质量对比",
        **odd,
    }


def ask(office, body, **identity):
    return office.post("/v1/samples", body, **{**REQUESTER, **identity})


def asked(office, *arguments, **odd):
    answer = ask(office, a_sample(*arguments, **odd), person=f"p-{uuid4().hex[:8]}")
    assert answer.status_code == 201, answer.text
    return answer.json["sample_id"]


def step(office, sample_id, path, body=None, role="storekeeper", **identity):
    return office.post(f"/v1/samples/{sample_id}/{path}", body or {}, role=role, **identity)


def approved(office, *arguments, **odd):
    sample_id = asked(office, *arguments, **odd)
    for role in ("business_head", "qa"):
        assert step(office, sample_id, "decisions", {"decision": "approved"}, role).status_code == 200
    return sample_id


def bought(office, product, quantity=10, price=700, *, branch="S001", **odd):
    line = a_goods_line(product_id=product, quantity=quantity, unit_price=money(price), **odd)
    answer = office.post(
        "/v1/goods-receipts",
        a_goods_receipt(branch, line, received_on=str(TODAY)),
        role="accountant",
    )
    assert answer.status_code == 201, answer.text


def stock(office, product):
    with office.database.begin() as conn:
        tx = Tx(conn=conn, actor=system_actor("finance"), now=utc_now())
        return costing.stock_of(tx, "S001", (product, "L1"), TODAY)


@pytest.mark.requirement("F25", "X1", "X7")
def test_a_sample_is_asked_for_approved_by_two_and_issued_by_a_third_at_its_average_cost(office):
    bought(office, "A-1", 10, 700)
    bought(office, "A-1", 10, 801)
    sample_id = asked(office, "A-1")
    own = {"decision": "approved"}
    refused(step(office, sample_id, "issue"), 409, "sample_state_wrong")
    requester = office.get(f"/v1/samples/{sample_id}").json["requested_by"]
    refused(step(office, sample_id, "decisions", own, "qa", person=requester), 403, "approval_same_person")
    assert (
        step(office, sample_id, "decisions", own, "business_head", person="boss").json["state"] == "requested"
    )
    refused(step(office, sample_id, "decisions", own, "qa", person="boss"), 403, "approval_same_person")
    assert step(office, sample_id, "decisions", own, "qa").json["state"] == "approved"
    refused(step(office, sample_id, "issue", person="boss"), 403, "approval_same_person")
    refused(step(office, sample_id, "issue", person=requester), 403, "approval_same_person")
    issued = step(office, sample_id, "issue").json
    assert (issued["state"], issued["cost"], issued["cost_basis"]) == ("issued", money(2_252), "average")
    assert issued["form"] == "SOP-FY006-R00"
    assert issued["number"].startswith(f"YP-S001-{TODAY.year}-")
    entry = office.rows(
        "select l.account, l.debit_fen, l.credit_fen from journal_entries e join journal_lines l on l.entry_id = e.id"
        " where e.source_id = cast(:id as uuid) and e.kind = 'sample_issue' order by l.no",
        id=sample_id,
    )
    assert [row[1:] for row in entry] == [(2_252, 0), (0, 2_252)]
    assert entry[0][0].endswith(".08")
    assert (
        office.value("select meaning from accounts where code = :code limit 1", code=entry[1][0])
        == "inventory"
    )
    [told] = office.rows(
        "select data, amount_fen from outbox where aggregate = 'sample' and subject = :id", id=sample_id
    )
    assert (told[0]["cost_fen"], told[1], told[0]["customer_id"]) == (2_252, 2_252, None)
    assert stock(office, "A-1") == (17, 15_010 - 2_252)
    refused(step(office, sample_id, "issue"), 409, "sample_state_wrong")


@pytest.mark.requirement("F25")
def test_what_became_of_samples_is_confirmed_by_another_than_who_asked_or_handed_them_out(office):
    bought(office, "A-2")
    sample_id = approved(office, "A-2")
    refused(step(office, sample_id, "confirm", {"used": 3, "returned": 0}), 409, "sample_state_wrong")
    step(office, sample_id, "issue")
    too_many = step(office, sample_id, "confirm", {"used": 3, "returned": 1}, "store_manager")
    refused(too_many, 422, "sample_quantities_differ")
    requester = office.get(f"/v1/samples/{sample_id}").json["requested_by"]
    own = step(office, sample_id, "confirm", {"used": 3, "returned": 0}, "store_manager", person=requester)
    refused(own, 403, "approval_same_person")
    office.rows("update samples set confirm_by = :day where sample_id = cast(:id as uuid) returning 1", day=TODAY - timedelta(days=1), id=sample_id)  # fmt: skip
    listed = office.get("/v1/samples?overdue=true").json["items"]
    assert [each["sample_id"] for each in listed] == [sample_id]
    outcome = {"used": 1, "returned": 2}
    refused(step(office, sample_id, "confirm", outcome), 403, "approval_same_person")
    done = step(office, sample_id, "confirm", outcome, person="another-storekeeper").json
    assert (done["state"], done["used"], done["returned"], done["overdue"]) == ("confirmed", 1, 2, False)
    assert office.get("/v1/samples?overdue=true").json["items"] == []


@pytest.mark.requirement("F25", "X9")
def test_the_law_lets_nobody_give_certain_goods_to_the_public_or_anything_to_those_who_prescribe(office):
    patient, hospital = str(uuid4()), str(uuid4())
    office.hear(
        office.permit(patient, kind="patient", categories=[]), office.permit(hospital, categories=["rx"])
    )
    evaluation = {"recipient": "institution", "purpose": "customer_evaluation", "tax_bp": 1300}
    for body in (
        a_sample(recipient="public"),
        a_sample(recipient="public", category="otc_a"),
        a_sample(recipient="hcp", category="otc_b"),
        a_sample(recipient="hcp", kind="packaging", category=None, expiry=None),
        a_sample(**evaluation, customer_id=patient),
    ):
        refused(ask(office, body), 409, "sample_forbidden")
    to_public = a_sample(recipient="public", category="otc_b", tax_bp=1300)
    assert ask(office, to_public, person="p-1").status_code == 201
    given_to_patient = ask(
        office, a_sample(**evaluation, customer_id=patient, category="otc_b"), person="p-1"
    )
    assert given_to_patient.json["recipient"] == "public"
    assert ask(office, a_sample(**evaluation, customer_id=hospital), person="p-1").status_code == 201
    refused(
        ask(office, a_sample(**evaluation, customer_id=hospital, category="otc")), 409, "trade_not_permitted"
    )
    refused(ask(office, a_sample(**evaluation, customer_id=str(uuid4()))), 409, "customer_unknown")


@pytest.mark.requirement("F25")
@pytest.mark.parametrize(
    ("odd", "code"),
    [
        ({"recipient": "institution"}, "sample_recipient_unfit"),
        ({"customer_id": str(uuid4())}, "sample_recipient_unfit"),
        ({"purpose": "gift"}, "sample_purpose_unknown"),
        ({"category": None}, "sample_product_incomplete"),
        ({"kind": "packaging"}, "sample_product_incomplete"),
        ({"quantity": 0}, "payload_invalid"),
        ({"purpose": "exhibition"}, "sample_tax_rate_invalid"),
        ({"purpose": "training", "tax_bp": 1600}, "sample_tax_rate_invalid"),
        ({"recipient": "public", "category": "otc_b"}, "sample_tax_rate_invalid"),
        ({"tax_bp": 1701}, "sample_tax_rate_invalid"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused(office, odd, code):
    refused(ask(office, a_sample(**odd)), 422, code)


@pytest.mark.requirement("F25")
def test_printed_packaging_needs_quality_assurance_alone_and_may_cost_nothing(office):
    body = {"product_id": "BOX-1", "kind": "packaging", "category": None, "expiry": None, "lot": "B-2026"}
    sample_id = ask(office, a_sample(**body), person="p-2").json["sample_id"]
    refused(
        step(office, sample_id, "decisions", {"decision": "approved"}, "business_head"),
        403,
        "approval_role_not_awaited",
    )
    assert step(office, sample_id, "decisions", {"decision": "approved"}, "qa").json["state"] == "approved"
    issued = step(office, sample_id, "issue").json
    assert (issued["cost"], issued["cost_basis"]) == (money(0), "none")
    assert (
        office.rows("select 1 from journal_entries where source_id = cast(:id as uuid)", id=sample_id) == []
    )
    rejected = asked(office, **body)
    refused(
        step(office, rejected, "decisions", {"decision": "rejected"}, "qa"), 422, "approval_reason_missing"
    )
    no = {"decision": "rejected", "reason": "版面已作废"}
    assert step(office, rejected, "decisions", no, "qa").json["state"] == "rejected"
    refused(step(office, rejected, "decisions", {"decision": "approved"}, "qa"), 409, "sample_state_wrong")


@pytest.mark.requirement("F25")
def test_no_expired_stopped_short_or_unknown_lot_leaves_the_shelf(office):
    yesterday = str(TODAY - timedelta(days=1))
    refused(ask(office, a_sample(expiry=yesterday)), 409, "sample_lot_expired")
    unknown = approved(office, "A-3")
    refused(step(office, unknown, "issue"), 409, "sample_cost_unknown")
    noon = datetime.combine(TODAY - timedelta(days=40), datetime.min.time(), UTC).replace(hour=4)
    old = {
        "product_id": "A-3",
        "lot": "L1",
        "expiry": str(TODAY - timedelta(days=2)),
        "reason": "看过实物包装",
    }
    assert office.post("/v1/lot-expiry-decisions", old, role="qa").status_code == 201
    office.sell(sold_at=noon.isoformat(), lines=[a_line(product={"product_id": "A-3"}, expiry=old["expiry"])])
    refused(step(office, unknown, "issue"), 409, "sample_lot_expired")
    office.sell(sold_at=noon.isoformat(), lines=[a_line(product={"product_id": "A-4"}, expiry="2099-12-31")])
    by_the_till = step(office, approved(office, "A-4"), "issue").json
    assert (by_the_till["cost"], by_the_till["cost_basis"]) == (money(3_450), "till")
    bought(office, "A-5", 4)
    office.sell(
        sold_at=(utc_now() - timedelta(seconds=1)).isoformat(),
        lines=[a_line(product={"product_id": "A-5"}, quantity=2, expiry="2099-12-31")],
    )
    short = approved(office, "A-5")
    answer = step(office, short, "issue")
    refused(answer, 409, "sample_stock_short")
    assert answer.json["available"] == 2
    stopped = approved(office, "A-5", quantity=1)
    order = {
        "stop_sale_id": str(uuid4()), "product_id": "A-5", "lots": ["L1"], "reason": "recall",
        "ordered_at": (utc_now() - timedelta(minutes=1)).isoformat(),
    }  # fmt: skip
    assert office.hear(office.envelope("returns.stop_sale.ordered.v1", order)).parked == 0
    refused(step(office, stopped, "issue"), 409, "lot_stopped")
    for spelling in ("L1", "l1", "\uff2c\uff11", " L 1 "):
        refused(ask(office, a_sample("A-5", lot=spelling)), 409, "lot_stopped")


@pytest.mark.requirement("F25")
def test_a_person_and_a_customer_get_no_more_in_a_month_than_the_house_allows(office):
    hospital = str(uuid4())
    office.hear(office.permit(hospital, categories=["rx"]))
    body = {
        "recipient": "institution",
        "purpose": "customer_evaluation",
        "customer_id": hospital,
        "tax_bp": 1300,
    }
    assert ask(office, a_sample(**body, quantity=200), person="p-3").status_code == 201
    answer = ask(office, a_sample(**body, quantity=1), person="p-4")
    refused(answer, 409, "sample_limit_exceeded")
    assert (answer.json["of"], answer.json["had"], answer.json["limit"]) == ("customer_id", 200, 200)
    assert ask(office, a_sample(quantity=300), person="p-3").status_code == 201
    refused(ask(office, a_sample(quantity=1), person="p-3"), 409, "sample_limit_exceeded")


@pytest.mark.requirement("F25")
def test_requests_racing_for_the_last_of_a_limit_never_pass_it_together(office):
    start = Barrier(4)

    def race(_):
        start.wait(30)
        return ask(office, a_sample(quantity=200), person="p-5").status_code

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(race, range(4))) == [201, 201, 409, 409]


@pytest.mark.requirement("F25")
def test_issues_racing_for_the_last_of_a_lot_never_take_more_than_there_is(office):
    bought(office, "A-6", 7)
    waiting = [approved(office, "A-6") for _ in range(4)]
    start = Barrier(4)

    def race(sample_id):
        start.wait(30)
        return step(office, sample_id, "issue").status_code

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(race, waiting)) == [200, 200, 409, 409]
    assert stock(office, "A-6") == (1, 700)


@pytest.mark.requirement("F25", "F5")
def test_a_cost_run_takes_samples_from_the_lot_once_and_its_value_agrees_with_the_books(office):
    branch = "S007"
    bought(office, "A-7", 10, 700, branch=branch)
    sample_id = approved(office, "A-7", branch_id=branch)
    assert step(office, sample_id, "issue").json["cost"] == money(2_100)
    month = month_of(TODAY)
    after = next_month(month)
    with office.database.begin() as conn:
        now = datetime(after.year, after.month, 2, 4, tzinfo=UTC)
        costing.run(Tx(conn=conn, actor=system_actor("finance"), now=now), branch, month)
    [lot] = office.rows("select quantity, value_fen from lot_stock where branch_id = :b", b=branch)
    assert lot == (7, 4_900)
    assert office.value("select adjustment_fen from cost_runs where branch_id = :b", b=branch) == 0
    with office.database.begin() as conn:
        tx = Tx(conn=conn, actor=system_actor("finance"), now=utc_now())
        assert costing.stock_of(tx, branch, ("A-7", "L1"), TODAY) == (7, 4_900)


@pytest.mark.requirement("F25", "F5")
def test_what_a_sample_turns_out_to_have_cost_is_selling_expense_and_not_cost_of_goods(office):
    branch = "S008"
    bought(office, "A-9", 10, 700, branch=branch)
    sample_id = approved(office, "A-9", branch_id=branch)
    assert step(office, sample_id, "issue").json["cost"] == money(2_100)
    bought(office, "A-9", 10, 900, branch=branch)
    after = next_month(month_of(TODAY))
    with office.database.begin() as conn:
        now = datetime(after.year, after.month, 2, 4, tzinfo=UTC)
        run_id = costing.run(Tx(conn=conn, actor=system_actor("finance"), now=now), branch, month_of(TODAY))
    [ran] = office.get(f"/v1/cost-runs?month={month_of(TODAY):%Y-%m}&branch_id={branch}").json["items"]
    assert (ran["adjustment"], ran["samples"]) == (money(0), money(300))
    posted = office.rows(
        f"select {MEANING}, l.debit_fen, l.credit_fen from journal_entries e join journal_lines l on l.entry_id = e.id"
        " where e.source_id = :id order by l.no",
        id=str(run_id),
    )
    assert posted == [("selling_samples", 300, 0), ("inventory", 0, 300)]


@pytest.mark.requirement("F25", "F15")
def test_samples_that_are_given_away_owe_output_vat_and_no_invoice(office):
    branch, hospital = "S009", str(uuid4())
    office.hear(office.permit(hospital, categories=["rx"]))
    bought(office, "A-10", 10, 700, branch=branch)
    to_hospital = {"recipient": "institution", "purpose": "customer_evaluation", "customer_id": hospital}

    def issued(**odd):
        sample_id = approved(office, "A-10", branch_id=branch, **odd)
        done = step(office, sample_id, "issue").json
        entry = office.rows(
            f"select {MEANING}, l.debit_fen - l.credit_fen from journal_entries e join journal_lines l on"
            " l.entry_id = e.id"
            " where e.source_id = :id and e.kind = 'sample_issue' order by l.no",
            id=sample_id,
        )
        return done, entry

    tested, entry = issued(tax_bp=1300)
    assert (tested["vat"], tested["vat_basis"]) == (None, None)
    assert entry == [("selling_samples", 2_100), ("inventory", -2_100)]
    composed, entry = issued(**to_hospital, tax_bp=1300)
    assert (composed["vat_basis"], composed["vat_base"], composed["vat"]) == (
        "cost",
        money(2_310),
        money(300),
    )
    assert entry == [("selling_samples", 2_400), ("inventory", -2_100), ("output_vat", -300)]
    for kind, price in (("hospital", 1_130), ("pharmacy", 2_260)):
        SalesDesk(office).price("A-10", customer_kind=kind, list_price=money(price))
    priced, entry = issued(**to_hospital, tax_bp=1300)
    assert (priced["vat_basis"], priced["vat_base"], priced["vat"]) == ("price", money(3_000), money(390))
    assert entry == [("selling_samples", 2_490), ("inventory", -2_100), ("output_vat", -390)]
    exhibited, _ = issued(purpose="exhibition", tax_bp=1300, quantity=1)
    assert (exhibited["vat_base"], exhibited["vat"]) == (money(2_000), money(260))

    vat = office.get(f"/v1/vat-figures?month={TODAY:%Y-%m}&branch_id={branch}").json
    [rate] = vat["rates"]
    assert (rate["given_net"], rate["given_tax"]) == (money(7_310), money(950))
    assert (rate["not_invoiced_tax"], rate["sold_tax"]) == (money(950), money(0))
    assert (vat["given_tax"], vat["ledger_tax"], vat["agrees"]) == (money(950), money(950), True)


@pytest.mark.requirement("F25", "X1")
def test_the_log_is_filtered_paged_and_closed_to_other_branches(office):
    wanted = [asked(office, "A-8") for _ in range(3)]
    page = office.get("/v1/samples?product_id=A-8&limit=2&kind=product&state=requested&branch_id=S001").json
    rest = office.get(f"/v1/samples?product_id=A-8&limit=2&cursor={page['next_cursor']}").json
    assert [each["sample_id"] for each in (*page["items"], *rest["items"])] == wanted[::-1]
    assert office.get("/v1/samples", branches=["S002"]).json["items"] == []
    refused(office.get("/v1/samples?branch_id=S001", branches=["S002"]), 403, "foreign_branch")
    refused(office.get(f"/v1/samples/{wanted[0]}", branches=["S002"]), 403, "foreign_branch")
    refused(office.get(f"/v1/samples/{uuid4()}"), 404, "sample_not_found")
    refused(step(office, wanted[0], "issue", branches=["S002"]), 403, "foreign_branch")


@pytest.mark.requirement("F25")
@given(had=st.integers(0, 500), wanted=st.integers(1, 500), limit=st.integers(1, 500))
def test_a_limit_is_reached_and_never_passed(had, wanted, limit):
    if had + wanted <= limit:
        rules.require_within(had, wanted, limit, "x")
    else:
        with pytest.raises(rules.SampleLimitExceeded):
            rules.require_within(had, wanted, limit, "x")


@pytest.mark.requirement("F25")
@given(cost=st.integers(0, 10**9), rate=st.sampled_from([0, 300, 900, 1300]))
def test_a_composed_price_is_the_cost_and_a_tenth_and_its_tax_is_on_both(cost, rate):
    base, tax = issue_rules.composed(cost, rate, TODAY)
    assert abs(base - Fraction(cost * 11, 10)) <= Fraction(1, 2)
    assert abs(tax - Fraction(base * rate, 10_000)) <= Fraction(1, 2)


def test_rules_are_those_of_the_day():
    rules.require_allowed("public", "rx", date(1999, 1, 1))
    with pytest.raises(rules.SampleForbidden):
        rules.require_allowed("public", "rx", date(2026, 1, 1))
