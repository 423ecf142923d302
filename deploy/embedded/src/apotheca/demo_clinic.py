"""Who the simulated institution is, and what it may: registered, verified, approved, granted credit; and what it is sold.

Each step by the person whose duty it is; whoever proposes does not decide.
Source: C1 F12 F27
"""

from __future__ import annotations

from datetime import date
from typing import Any

from apotheca.demo_client import Caller, wait_for
from apotheca.system import System
from shared.clock import business_date, utc_now

BRANCH = "W001"
"""Wholesale has a branch of its own: its figures are the institution's alone."""
CODE = "SIM-CLINIC-1"
TAX_BP = 1_300
PRICE_FEN, FLOOR_FEN, COST_FEN = 2_260, 2_000, 1_500
"""Of one pack: price and floor with the tax, cost without."""
LOTS = (("SIMW-A", 400), ("SIMW-B", 200))
"""One receipt of goods, shipped whole."""
PAPERS = (
    "medical_institution_licence",
    "purchaser_authorisation",
    "pickup_authorisation",
    "pickup_identity",
)
HEARD_WITHIN_S = 60
PRODUCT = {
    "product_id": "SIM-W-1",
    "generic_name": "模拟药品 Simulated medicine",
    "category": "otc",
    "temp_class": "normal",
    "dosage_form": "胶囊剂",
    "specification": "0.25 g × 24",
    "mah": "Simulated maker",
    "maker": "Simulated maker",
    "approval_number": "SIMULATED",
}
APPROVED = {"decision": "approved"}


class Staff:
    """The persons, each with one duty in one service."""

    def __init__(self, system: System) -> None:
        self._system = system
        self._known: dict[tuple[str, str], Caller] = {}

    def __call__(self, service: str, role: str) -> Caller:
        if (service, role) not in self._known:
            self._known[service, role] = Caller(
                self._system, service, f"sim-wholesale-{role.replace('_', '-')}", role
            )
        return self._known[service, role]

    def finance(self, role: str) -> Caller:
        return self("finance", role)


def money(fen: int) -> dict[str, Any]:
    return {"fen": fen, "currency": "CNY"}


def first_day(staff: Staff) -> date:
    """The day of the first run, from which every day of the story counts."""
    for each in staff("customers", "cs_agent").get("/v1/customers", kind="hospital")["items"]:
        if each.get("code") == CODE:
            return date.fromisoformat(each["registered_on"])
    return business_date(utc_now())


def register(staff: Staff) -> tuple[str, str]:
    """A clinic with its licence and scope, verified by quality assurance and approved: an active customer."""
    agent, seller = staff("customers", "cs_agent"), staff("customers", "salesperson")
    made = agent.post(
        "/v1/institutions",
        {
            "code": CODE,
            "kind": "hospital",
            "branch_id": BRANCH,
            "legal_name": "模拟诊所 Simulated clinic",
            "uscc": "91350100M000100Y43",
            "contacts": [
                {"name": "Simulated buyer", "channels": [{"kind": "phone", "value": "+8619900000001"}]}
            ],
        },
    )
    customer = f"/v1/customers/{made['customer_id']}"
    for kind in PAPERS:
        scope = [PRODUCT["category"]] if kind == PAPERS[0] else []
        paper = {
            "type": kind,
            "number": "SIM-1",
            "issuer": "Simulated",
            "valid_from": "2020-01-01",
            "scope": scope,
        }
        sent = seller.post(f"{customer}/licences", paper, key=kind)
        staff("customers", "qa").post(f"{customer}/licences/{sent['licence_id']}/decisions", APPROVED)
    staff("customers", "business_head").post(f"{customer}/decisions", APPROVED)
    known = agent.get(customer)
    return made["customer_id"], known["contacts"][0]["contact_id"]


def grant_credit(staff: Staff, customer_id: str) -> None:
    """Proposed by one, approved by two heads; wait until finance has heard of it, and with it of the permission."""
    path = f"/v1/customers/{customer_id}/credits"
    proposal = {"limit": money(5_000_000), "overdue_tolerance": money(1_000_000), "reason": "模拟 simulated"}
    made = staff("customers", "salesperson").post(path, proposal)
    for role in ("finance_head", "business_head"):
        staff("customers", role).post(f"{path}/{made['credit_id']}/decisions", APPROVED)

    def heard() -> bool:
        shown = staff.finance("salesperson").get(f"/v1/credit-exposures/{customer_id}")
        return bool(shown["limit"])

    wait_for("finance hearing of the clinic's credit", heard, within_s=HEARD_WITHIN_S)


def set_price(staff: Staff, began_on: date) -> None:
    rule = {
        "product_id": PRODUCT["product_id"],
        "customer_kind": "hospital",
        "list_price": money(PRICE_FEN),
        "floor": money(FLOOR_FEN),
        "effective_from": began_on.isoformat(),
    }
    made = staff.finance("business_head").post("/v1/price-rules", rule)
    staff.finance("finance_head").post(f"/v1/price-rules/{made['rule_id']}/decisions", APPROVED)


def take_goods_in(staff: Staff, began_on: date) -> None:
    """Bought before they are sold, so that the branch's inventory is never negative."""
    lines = [
        {
            "product_id": PRODUCT["product_id"],
            "lot": lot,
            "quantity": quantity,
            "unit_price": money(COST_FEN),
            "tax_bp": TAX_BP,
        }
        for lot, quantity in LOTS
    ]
    body = {
        "branch_id": BRANCH,
        "supplier_id": "SIM-SUPPLIER",
        "received_on": began_on.isoformat(),
        "lines": lines,
    }
    staff.finance("accountant").post("/v1/goods-receipts", {**body, "invoice_no": f"{2:020d}"})
