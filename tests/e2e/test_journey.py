"""A sale's whole life through public HTTP alone: points, a complaint, a return, the refund, the month's ledger.

Run against the embedded system, and against the composed one (through its gateway) where there is Docker.
"""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx
import pytest

from apotheca.system import System
from shared.clock import business_date, month_of, utc_now
from shared.identity import EVERY_BRANCH, LocalIssuer
from tests.support.composed import SECRETS, composed
from tests.support.eventually import eventually
from tests.support.finance_builders import a_line, a_receipt, money
from tests.support.infrastructure import kind_of_servers
from tests.support.people import People, Refused
from tests.support.ports import five_free_ports

DEPLOYMENTS = ["embedded", "composed"] if kind_of_servers() == "docker" else ["embedded"]
BRANCH = "E2E-1"
GROSS_FEN = 3_900
TODAY = business_date(utc_now())
PAPERS = (
    "business_licence",
    "drug_operation_licence",
    "quality_agreement",
    "purchaser_authorisation",
    "pickup_authorisation",
    "pickup_identity",
)
LAST_MONTH = month_of(month_of(TODAY) - timedelta(days=1))
SOLD_AT = datetime(LAST_MONTH.year, LAST_MONTH.month, 15, 3, tzinfo=UTC)


@pytest.fixture(scope="module", params=DEPLOYMENTS)
def people(request, make_folder):
    if request.param == "composed":
        with composed() as gateway:
            yield People(lambda service: f"{gateway}/{service}", LocalIssuer(SECRETS), BRANCH)
        return
    with System(make_folder(), first_port=five_free_ports()) as system:
        yield People(lambda service: system.address(service.replace("-", "_")), system.issuer, BRANCH)


@pytest.fixture(scope="module")
def customer(people):
    body = {
        "name": "End-to-end",
        "branch_id": BRANCH,
        "source_channel": "walk_in",
        "code": f"E-{uuid4().hex[:8]}",
    }
    return people.post("till", "customers", "/v1/patients", body)["customer_id"]


@pytest.fixture(scope="module")
def sale(people, customer):
    """A sale of the middle of last month, posted twice as a till does that heard no answer."""
    receipt = a_receipt(
        branch_id=BRANCH,
        customer_id=customer,
        sold_at=SOLD_AT.isoformat().replace("+00:00", "Z"),
        lines=[a_line(expiry=f"{TODAY.year + 1}-12-31")],
    )
    key = str(uuid4())
    posted = people.post("till", "finance", "/v1/sales", receipt, key=key)
    again = people.send("POST", "till", "finance", "/v1/sales", json=receipt, key=key)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.json()["sale_id"] == posted["sale_id"]
    return posted


@pytest.fixture(scope="module")
def earned(people, customer, sale):
    return eventually(lambda: points(people, customer), within_s=30)


@pytest.fixture(scope="module")
def settled(people, sale, earned):
    """The whole sale comes back: two approvals by two persons, receipt, inspection, destruction, settlement."""
    sold = eventually(lambda: sold_lines(people, sale["sale_id"]), within_s=30)
    notice = people.post("invoicing_clerk", "returns", "/v1/returns", a_return(sale["sale_id"], sold))
    assert notice["state"] != "refused", notice
    path, lines = f"/v1/returns/{notice['return_id']}", notice["lines"]
    people.post("business_head", "returns", f"{path}/decisions", {"decision": "approved"})
    approved = people.post("qa", "returns", f"{path}/decisions", {"decision": "approved"})
    if approved["pickup"]:
        people.post("storekeeper", "returns", f"{path}/pick-up")
    received = [
        {"return_line_id": line["return_line_id"], "lot": line["lot"], "quantity": line["quantity"]}
        for line in lines
    ]
    record = {"quarantine_location": "returns-area-1"}
    people.post("receiver", "returns", f"{path}/receive", {"record": record, "lines": received})
    people.post("inspector", "returns", f"{path}/inspect", {"lines": [an_inspection(line) for line in lines]})
    fates = [{"return_line_id": line["return_line_id"], "disposition": "destroy"} for line in lines]
    people.post("qa", "returns", f"{path}/dispose", {"lines": fates})
    people.post("invoicing_clerk", "returns", f"{path}/settle")
    pay_back(people, notice["return_id"])
    return eventually(lambda: refunded(people, path), within_s=60)


def pay_back(people, return_id):
    """One person of finance approves what is owed for the return, another pays it through its channel."""

    def owed():
        return people.get("accountant", "finance", "/v1/refunds", return_id=return_id)["items"]

    [refund] = eventually(owed, within_s=30)
    assert (refund["state"], refund["overdue"]) == ("verified", False)
    assert refund["goods_back_on"] == str(TODAY)
    path = f"/v1/refunds/{refund['refund_id']}"
    people.post("finance_auditor", "finance", f"{path}/decisions", {"decision": "approved"})
    part = {"tender": "wechat", "reference": f"WX-{uuid4().hex}"}
    assert people.post("accountant", "finance", f"{path}/pay", {"parts": [part]})["state"] == "paid"


def points(people, customer):
    return people.get("cs_agent", "customers", f"/v1/customers/{customer}/points")["balance"]


def sold_lines(people, sale_id):
    return people.get("invoicing_clerk", "returns", "/v1/sold-lines", branch_id=BRANCH, sale_id=sale_id)[
        "items"
    ]


def refunded(people, path):
    notice = people.get("invoicing_clerk", "returns", path)
    return notice if notice["refund_id"] else None


def a_return(sale_id, sold):
    lines = [{name: line[name] for name in ("sale_line_id", "lot", "quantity")} for line in sold]
    package = {"unopened": True, "intact": True}
    body = {"branch_id": BRANCH, "kind": "retail", "sale_id": sale_id, "reason": "recall", "package": package}
    return {**body, "proof_refs": ["recall-notice"], "lines": lines}


def an_inspection(line):
    checks = ("appearance", "packaging", "label", "leaflet", "seal", "expiry", "trace_code", "documents")
    return {
        "return_line_id": line["return_line_id"],
        "cases": 1,
        "is_intact": False,
        "has_anomaly": False,
        "cases_sampled": 1,
        "checks": {check: "fail" if check == "seal" else "pass" for check in checks},
        "accepted_quantity": line["quantity"],
    }


@pytest.mark.requirement("X3", "F22", "R4", "R8")
def test_a_sale_earns_points_and_its_refund_takes_them_back(people, customer, earned, settled):
    assert earned > 0
    assert settled["refund"]["fen"] == GROSS_FEN
    assert eventually(lambda: points(people, customer) == 0, within_s=30)


@pytest.mark.requirement("C38")
def test_points_of_one_sale_pay_the_next(people):
    """Earned with money, redeemed at the till, used by the sale that was posted at once, and then gone."""
    patient = {"name": "Points", "branch_id": BRANCH, "source_channel": "walk_in"}
    mine = people.post("till", "customers", "/v1/patients", patient)["customer_id"]
    now = utc_now().isoformat().replace("+00:00", "Z")
    goods = a_line(product={"category": "device"}, expiry=f"{TODAY.year + 1}-12-31")
    sold = {"branch_id": BRANCH, "customer_id": mine, "sold_at": now, "lines": [goods]}
    people.post("till", "finance", "/v1/sales", a_receipt(**sold))
    assert eventually(lambda: points(people, mine), within_s=30) == 39
    receipt = a_receipt(**sold)
    asked = {name: receipt[name] for name in ("customer_id", "branch_id", "receipt_number")} | {"points": 30}
    redeemed = people.post("till", "customers", "/v1/redemptions", asked)
    by_points = {
        "tender": "points",
        "amount": redeemed["value"],
        "redemption_id": redeemed["redemption_id"],
    }
    receipt["tenders"] = [by_points, {"tender": "cash", "amount": money(GROSS_FEN - 30)}]

    def paid():
        try:
            return people.post("till", "finance", "/v1/sales", receipt)
        except Refused as refused:
            if refused.code != "redemption_not_yet_known":
                raise
            return None

    posted = eventually(paid, within_s=30)
    path = f"/v1/redemptions/{redeemed['redemption_id']}"
    assert eventually(
        lambda: people.get("till", "customers", path)["sale_id"] == posted["sale_id"], within_s=30
    )
    # 38 full yuan were paid with money.
    assert eventually(lambda: points(people, mine) == 39 - 30 + 38, within_s=30)


@pytest.mark.requirement("F6")
def test_an_offer_is_paid_by_a_promotion_plan_or_not_made(people):
    """Finance answers by event: the first offer is funded, the second finds too little left; what ends frees the rest."""
    until = str(TODAY + timedelta(days=1))  # midnight may pass
    code = f"C-{uuid4().hex[:10].upper()}"
    plan = {
        "code": code,
        "branch_id": BRANCH,
        "from": str(TODAY),
        "until": until,
        "uplift_bp": 2_500,
    }
    plan |= {"baseline_net": money(100_000), "baseline_margin": money(1_000), "budget": money(10_000)}
    plan_id = people.post("accountant", "finance", "/v1/promotion-plans", plan)["plan_id"]
    yes = {"decision": "approved"}
    for role in ("finance_head", "cs_manager"):
        people.post(role, "finance", f"/v1/promotion-plans/{plan_id}/decisions", yes | {"reason": None})

    def asked(fen):
        offer = {
            "plan_id": plan_id,
            "branch_id": BRANCH,
            "title": "Gift",
            "benefit": "gift",
            "terms": "One each",
        }
        offer |= {"from": str(TODAY), "until": until, "cost": money(fen)}
        path = f"/v1/offers/{people.post('cs_agent', 'customers', '/v1/offers', offer)['offer_id']}"

        def answered():
            shown = people.get("cs_agent", "customers", path)
            return shown if shown["state"] != "asking" else None

        return path, eventually(answered, within_s=30)

    path, first = asked(6_000)
    _, second = asked(6_000)
    assert (first["state"], second["state"], second["refusal"]) == ("funded", "refused", "budget_exceeded")
    for role in ("finance_head", "cs_manager"):
        people.post(role, "customers", f"{path}/decisions", yes)
    people.post("cs_manager", "customers", f"{path}/close", {"used": money(4_000)})

    def used():
        [drawing] = people.get("accountant", "finance", f"/v1/promotion-plans/{plan_id}")["drawings"]
        return drawing["used"] == money(4_000)

    assert eventually(used, within_s=30)


@pytest.mark.requirement("D7")
def test_a_complaint_about_the_sale_is_assigned_and_solved(people, customer, sale):
    about = {"branch_id": BRANCH, "customer_id": customer, "sale_id": sale["sale_id"], "subject": "Torn box"}
    ticket = people.post(
        "cs_agent", "service-desk", "/v1/tickets", {"kind": "complaint", "channel": "phone", **about}
    )
    path = f"/v1/tickets/{ticket['ticket_id']}"
    people.post(
        "cs_manager", "service-desk", f"{path}/assign", {"handler": "the-cs_agent", "role": "cs_agent"}
    )
    people.post("cs_agent", "service-desk", f"{path}/contacts", {"channel": "phone", "reached": True})
    people.post("cs_agent", "service-desk", f"{path}/propose", {"solution": "A new box"})
    people.post("cs_agent", "service-desk", f"{path}/answer", {"answer": "accepted"})
    people.post("cs_agent", "service-desk", f"{path}/execute")
    done = {"cause": "service", "fault": "ours", "resolution": "Handed over"}
    assert people.post("cs_agent", "service-desk", f"{path}/resolve", done)["state"] == "resolved"


@pytest.mark.requirement("F1")
def test_last_month_closes_and_its_ledger_holds_the_sale(people, sale, settled):
    month = f"{LAST_MONTH:%Y-%m}"
    assert eventually(lambda: close_books(people, month), within_s=60)["state"] == "soft_closed"
    closed = eventually(lambda: close(people, month), within_s=60)
    assert closed["state"] == "closed"
    ledger = people.get("accountant", "reporting", f"/v1/sales-ledgers/{month}", branch_id=BRANCH)
    assert ledger["state"] == "closed"
    assert ledger["totals"]["total"]["fen"] == GROSS_FEN == sale["total"]["fen"]


def close_books(people, month):
    try:
        path = f"/v1/periods/{month}/close"
        return people.post("finance_head", "finance", path, branches=(EVERY_BRANCH,))
    except Refused as refused:
        if refused.code not in {"sources_behind", "journal_not_sealed"}:
            raise
        return None


def close(people, month):
    try:
        return people.post("finance_head", "reporting", f"/v1/months/{month}/close", branches=(EVERY_BRANCH,))
    except Refused as refused:
        if refused.code != "month_incomplete":
            raise
        return None


def test_this_months_returns_ledger_holds_the_refund(people, settled):
    address = f"/v1/returns-ledgers/{TODAY:%Y-%m}"

    def refunded_fen():
        return people.get("accountant", "reporting", address, branch_id=BRANCH)["totals"]["total"]["fen"]

    assert eventually(lambda: refunded_fen() == GROSS_FEN, within_s=30)


@pytest.mark.requirement("R1")
def test_what_was_never_sold_is_not_taken_back(people, settled):
    line = {"sale_line_id": str(uuid4()), "lot": "L1", "quantity": 1}

    def refused():
        notice = people.post("invoicing_clerk", "returns", "/v1/returns", a_return(str(uuid4()), [line]))
        return (notice["state"], notice["cause"])

    # 503 until returns has heard everything finance said; only then may it say "not ours".
    assert eventually(refused, within_s=30) == ("refused", "not_ours")


@pytest.mark.requirement("F27", "C31", "X11")
def test_an_institution_buys_within_its_credit_until_it_is_held_and_no_lot_off_sale(people):
    pharmacy = a_pharmacy(people)
    credit = f"/v1/customers/{pharmacy}/credits"
    proposal = {"limit": money(10_000), "reason": "首次授信"}
    made = people.post("salesperson", "customers", credit, proposal)
    for head in ("finance_head", "business_head"):
        people.post(head, "customers", f"{credit}/{made['credit_id']}/decisions", {"decision": "approved"})

    def room():
        shown = people.get("salesperson", "finance", f"/v1/credit-exposures/{pharmacy}")
        return shown["available"]["fen"] == 10_000

    eventually(room, within_s=30)
    buy(people, pharmacy, "L-GOOD", 6_000)
    # 503 until finance has heard what customers said before it was asked: a higher limit might have been among it
    eventually(lambda: refusal_of(people, pharmacy, "L-GOOD", 6_000) == "credit_limit_exceeded", within_s=30)
    stop = {"product_id": "P-1", "lots": ["L-BAD"], "reason": "片剂变色"}
    people.post("qa", "returns", "/v1/stop-sales", stop, branches=(EVERY_BRANCH,))
    people.post("finance_head", "customers", f"/v1/customers/{pharmacy}/credit-holds", {"reason": "回款异常"})
    eventually(lambda: refusal_of(people, pharmacy, "L-GOOD", 1) == "credit_on_hold", within_s=30)
    eventually(lambda: refusal_of(people, None, "L-BAD", 1_000) == "lot_stopped", within_s=30)


def a_pharmacy(people):
    """An institution on its way from lead to active."""
    shop = {"kind": "pharmacy", "branch_id": BRANCH, "legal_name": "仁和药房", "uscc": "91350100M000100Y43"}
    pharmacy = people.post("cs_agent", "customers", "/v1/institutions", shop)["customer_id"]
    for kind in PAPERS:
        scope = ["otc"] if kind == "drug_operation_licence" else []
        paper = {"type": kind, "number": "1", "issuer": "x", "valid_from": "2020-01-01", "scope": scope}
        sent = people.post("salesperson", "customers", f"/v1/customers/{pharmacy}/licences", paper)
        decided = f"/v1/customers/{pharmacy}/licences/{sent['licence_id']}/decisions"
        people.post("qa", "customers", decided, {"decision": "approved"})
    approval = f"/v1/customers/{pharmacy}/decisions"
    assert (
        people.post("business_head", "customers", approval, {"decision": "approved"})["customer_state"]
        == "active"
    )
    return pharmacy


def buy(people, customer, lot, fen):
    """On credit, or for money where nobody is named."""
    line = a_line(
        lot=lot,
        quantity=1,
        unit_price=money(fen),
        discount=money(0),
        cost=money(0),
        expiry=f"{TODAY.year + 1}-12-31",
    )
    tender = "cash" if customer is None else "credit"
    tenders = [{"tender": tender, "amount": money(fen)}]
    now = utc_now().isoformat()
    named = {} if customer is None else {"customer_id": customer}
    receipt = a_receipt(branch_id=BRANCH, sold_at=now, lines=[line], tenders=tenders, **named)
    return people.post("till", "finance", "/v1/sales", receipt)


def refusal_of(people, customer, lot, fen):
    try:
        buy(people, customer, lot, fen)
    except Refused as refused:
        return refused.code
    return None


def test_nobody_gets_in_without_a_token_or_into_another_branch(people, sale):
    address = people._address("finance")
    nobody = people.http.get(f"{address}/v1/sales/{sale['sale_id']}")
    assert (nobody.status_code, nobody.json()["code"]) == (401, "token_missing")
    stranger = people.send(
        "GET", "accountant", "finance", f"/v1/sales/{sale['sale_id']}", branches=("E2E-2",)
    )
    assert stranger.status_code in {403, 404}


def test_the_gateway_shows_nothing_internal(people):
    if not people._address("finance").endswith("/finance"):
        return  # there is no gateway in the embedded system
    for path in ("/internal/head", "//internal/head", "/%69nternal/head", "/v1/../internal/head", "/metrics"):
        raw = httpx.Request(
            "GET", httpx.URL(people._address("finance")).copy_with(raw_path=f"/finance{path}".encode())
        )
        answer = people.http.send(raw)
        assert (answer.status_code, answer.json()["code"]) == (404, "no_such_address"), path
