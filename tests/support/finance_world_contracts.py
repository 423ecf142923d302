"""Contracts and samples of one branch, and what to ask and send each of their routes."""

from uuid import uuid4

from tests.support.contracts import CONTACT, PAPER, TODAY, a_content, a_contract_line
from tests.support.expenses_builders import a_goods_receipt

SIGNED = {"signed_on": str(TODAY), "file_sha256": PAPER}
APPROVED = {"decision": "approved", "reason": None}


def contracts(company, branch, ids, sent, asked):
    customer = str(uuid4())
    company.world.hears(company.permit(customer))
    content = a_content(our_signatory="management-of-old")
    body = {"branch_id": branch, "customer_id": customer, "content": content}
    made = company.made("/contracts", body, "salesperson")["contract_id"]
    company.made(f"/contracts/{made}/submit", {}, "salesperson")
    for role in ("business_head", "finance_head"):
        company.made(f"/contracts/{made}/decisions", APPROVED, role)
    company.made(f"/contracts/{made}/signatures", {"party": "ours", **SIGNED}, "management")
    theirs = {"party": "customer", "contact_id": CONTACT, **SIGNED}
    company.made(f"/contracts/{made}/signatures", theirs, "salesperson")
    amended = a_content(a_contract_line(quantity=200), our_signatory="management-of-old")
    amendment = {"proposed_side": "ours", "reason": "r", "content": amended}
    of = "/v1/contracts/<uuid:contract_id>"
    change = f"{of}/amendments/<uuid:amendment_id>"
    ids |= {
        "contract_id": made,
        "amendment_id": company.made(f"/contracts/{made}/amendments", amendment, "salesperson")[
            "amendment_id"
        ],
        f"{of}/versions/<int:version>": {"version": 1},
    }
    asked["/v1/contracts"] = [{}, {"branch_id": branch}, {"customer_id": customer}]
    sent |= {
        "/v1/contracts": body,
        of: {"content": content},
        f"{of}/submit": {},
        f"{of}/withdraw": {"reason": "r"},
        f"{of}/decisions": APPROVED,
        f"{of}/signatures": theirs,
        f"{of}/amendments": amendment,
        f"{change}/decisions": APPROVED,
        f"{change}/answer": {
            "answer": "accepted",
            "contact_id": CONTACT,
            "confirmed_on": str(TODAY),
            "evidence_sha256": PAPER,
        },
        f"{of}/terminate": {"reason": "r"},
        f"{of}/termination/decisions": APPROVED,
    }


def samples(company, branch, ids, sent, asked):
    company.made("/goods-receipts", a_goods_receipt(branch), "accountant")
    body = {
        "branch_id": branch,
        "kind": "product",
        "recipient": "internal",
        "purpose": "exhibition",
        "tax_bp": 1300,
        "product_id": "P-1",
        "generic_name": "阿莫西林胶囊",
        "category": "otc",
        "lot": "L1",
        "expiry": "2099-12-31",
        "quantity": 1,
        "reason": "展会",
    }
    made = company.made("/samples", body, "salesperson")["sample_id"]
    for role in ("business_head", "qa"):
        company.made(f"/samples/{made}/decisions", APPROVED, role)
    ids["sample_id"] = made
    asked["/v1/samples"] = [{}, {"branch_id": branch}, {"product_id": "P-1"}]
    of = "/v1/samples/<uuid:sample_id>"
    sent |= {
        "/v1/samples": body,
        f"{of}/decisions": APPROVED,
        f"{of}/overrun/decisions": APPROVED,
        f"{of}/issue": {},
        f"{of}/confirm": {"used": 1, "returned": 0},
    }
