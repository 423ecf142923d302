"""Contracts of a back office, as far on their way as a test needs them."""

from datetime import timedelta
from uuid import uuid4

from shared.clock import business_date, utc_now
from tests.support.finance_builders import money

TODAY = business_date(utc_now())
CONTACT = "0199b1c0-0000-7000-8000-00000000c0de"
PAPER = "ab" * 32
SIGNATORY = "the-management"


def a_contract_line(line_no=1, **odd):
    """100 packs at 19.90 with 13 % inside, due in a month."""
    return {
        "line_no": line_no,
        "product_id": "P-1",
        "generic_name": "阿莫西林胶囊",
        "specification": "0.25 g × 24",
        "dosage_form": "胶囊剂",
        "category": "otc",
        "quantity": 100,
        "unit_price": money(1990),
        "tax_bp": 1300,
        "delivery_date": str(TODAY + timedelta(days=30)),
        **odd,
    }


def a_content(*lines, **odd):
    return {
        "lines": list(lines) or [a_contract_line()],
        "payment_terms": {
            "method": "bank",
            "instalments": [{"days": 0, "share_bp": 3_000}, {"days": 60, "share_bp": 7_000}],
        },
        "quality_clause": "符合《中国药典》及注册标准",
        "our_signatory": SIGNATORY,
        "customer_signatory": CONTACT,
        "place": "上海",
        "dated_on": str(TODAY),
        "file_sha256": PAPER,
        "valid_from": str(TODAY - timedelta(days=30)),
        "valid_until": str(TODAY + timedelta(days=180)),
        **odd,
    }


def drafted(office, customer_id, *, branch="S001", **content):
    body = {"branch_id": branch, "customer_id": customer_id, "content": a_content(**content)}
    answer = office.post("/v1/contracts", body, role="salesperson")
    assert answer.status_code == 201, answer.text
    return answer.json["contract_id"]


def reviewed(office, customer_id, **odd):
    """Submitted, and approved by the business head and the finance head."""
    contract_id = drafted(office, customer_id, **odd)
    steps = [("submit", {}, "salesperson")]
    steps += [("decisions", {"decision": "approved"}, role) for role in ("business_head", "finance_head")]
    for step, body, role in steps:
        answer = office.post(f"/v1/contracts/{contract_id}/{step}", body, role=role)
        assert answer.status_code == 200, answer.text
    return contract_id


def sign(office, contract_id, party, *, on=TODAY, role=None, **odd):
    body = {"party": party, "signed_on": str(on), "file_sha256": "cd" * 32, **odd}
    if party == "customer":
        body = {"contact_id": CONTACT, **body}
    role = role or {"ours": "management", "customer": "salesperson"}[party]
    return office.post(f"/v1/contracts/{contract_id}/signatures", body, role=role)


def signed(office, customer_id=None, *lines, on=TODAY, **odd):
    """A contract that both parties signed; of a new customer who may trade, unless one is given."""
    if customer_id is None:
        customer_id = str(uuid4())
        assert office.hear(office.permit(customer_id)).parked == 0
    if lines:
        odd["lines"] = list(lines)
    contract_id = reviewed(office, customer_id, **odd)
    for party in ("ours", "customer"):
        answer = sign(office, contract_id, party, on=on)
        assert answer.status_code == 200, answer.text
    return contract_id
