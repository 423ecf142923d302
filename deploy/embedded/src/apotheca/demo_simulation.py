"""Step two of the demonstration: what no receipt tells, invented and said to be: surveys, complaints, returns.

It happens today, because the services take the time from their own clocks. Who answers, complains and returns is
drawn from the receipt numbers, so that every run does the same. Everything goes the way staff would go: each
step by another person with the role for it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from apotheca import demo_catalogue as catalogue
from apotheca.demo_client import Caller, Refused, wait_for
from apotheca.demo_import import Imported
from apotheca.demo_receipts import Receipt
from apotheca.refusals import CannotRun
from apotheca.system import System

SURVEYS = 60
COMPLAINTS = 12
RETURNS = 6
CAMPAIGN = "demonstration"
REFUND_WITHIN_S = 60
HEARD_WITHIN_S = 60
NOT_FOUND = 404

Advance = Callable[[int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Whom the simulation concerns; every list names sales by id."""

    surveyed: tuple[tuple[str, str], ...]
    """Customer and branch."""
    complained: tuple[str, ...]
    returned: tuple[str, ...]
    recalled_lot: str


def plan(imported: Imported, branch_id: str, customer_ids: dict[int, str]) -> Plan:
    """Deterministic: the same receipts give the same plan. Returns are of one recalled lot, of every branch."""
    by_sale = sorted(imported.posted.items(), key=lambda each: (each[1].sold_at, each[1].basket_id))
    known = [(sale, receipt) for sale, receipt in by_sale if receipt.household_id in customer_ids]
    rng = Random("surveys and complaints")
    homes = {receipt.household_id: receipt.branch_id for _sale, receipt in known}
    households = sorted(homes)
    surveyed = rng.sample(households, min(SURVEYS, len(households)))
    local = [sale for sale, receipt in known if receipt.branch_id == branch_id]
    lot, returned = recalled(known)
    return Plan(
        surveyed=tuple((customer_ids[household], homes[household]) for household in surveyed),
        complained=tuple(rng.sample(local, min(COMPLAINTS, len(local)))),
        returned=tuple(returned[:RETURNS]),
        recalled_lot=lot,
    )


def recalled(known: Sequence[tuple[str, Receipt]]) -> tuple[str, list[str]]:
    """The medicine's lot that most sales of the chain hold, kept at normal temperature and paid for, and those sales.

    Another product's lot where no medicine was sold. Raises CannotRun where nothing was sold.
    """
    sales_by_lot: dict[tuple[bool, str], list[str]] = defaultdict(list)
    for sale, receipt in known:
        for line in receipt.lines:
            if line.paid_fen and catalogue.temp_class_of(line.product) == "normal":
                is_medicine = catalogue.category_of(line.product) == "otc"
                sales = sales_by_lot[not is_medicine, catalogue.lot_of(line.product, receipt.day)[0]]
                if sale not in sales[-1:]:
                    sales.append(sale)
    if not sales_by_lot:
        raise CannotRun("nothing in this slice could be returned.")
    (_, lot), sales = min(sales_by_lot.items(), key=lambda each: (each[0][0], -len(each[1]), each[0][1]))
    return lot, sales


def answer_surveys(system: System, surveyed: Sequence[tuple[str, str]], advance: Advance) -> None:
    """Ask and answer: product quality, service quality and price level, from 1 to 5. Source: D13"""
    manager = Caller(system, "service_desk", "sim-manager", "cs_manager")
    clerk = Caller(system, "service_desk", "sim-clerk", "cs_agent")
    rng = Random("answers")
    for customer_id, branch_id in surveyed:
        scores = {dimension: _score(rng) for dimension in ("quality", "service", "price")}
        body = {"campaign": CAMPAIGN, "customer_id": customer_id, "branch_id": branch_id}
        sent = manager.post("/v1/surveys", body, key=customer_id)
        clerk.post(
            f"/v1/surveys/{sent['survey_id']}/answers",
            {"token": sent["token"], "scores": scores, "comment": "simulated"},
        )
        advance(1)


def _score(rng: Random) -> int:
    return rng.choices((5, 4, 3, 2, 1), weights=(45, 30, 15, 7, 3))[0]


def open_complaints(
    system: System, sales: Sequence[str], imported: Imported, customer_ids: dict[int, str], advance: Advance
) -> None:
    """Take complaints in, assign them within the 24 hours, and solve two of three. Source: D5 D7 D17"""
    agent = Caller(system, "service_desk", "sim-agent", "cs_agent")
    manager = Caller(system, "service_desk", "sim-manager", "cs_manager")
    rng = Random("complaints")
    for number, sale_id in enumerate(sales):
        receipt = imported.posted[sale_id]
        ticket = agent.post(
            "/v1/tickets",
            {
                "kind": rng.choice(("complaint", "consultation")),
                "channel": rng.choice(("phone", "wechat", "letter", "visit")),
                "branch_id": receipt.branch_id,
                "customer_id": customer_ids[receipt.household_id],
                "sale_id": sale_id,
                "subject": "Simulated for the demonstration",
            },
            key=sale_id,
        )
        path = f"/v1/tickets/{ticket['ticket_id']}"
        manager.post(f"{path}/assign", {"handler": "sim-agent", "role": "cs_agent"})
        agent.post(f"{path}/contacts", {"channel": "phone", "reached": True})
        if number % 3:
            agent.post(f"{path}/propose", {"solution": "Simulated: explain and apologise"})
            agent.post(f"{path}/answer", {"answer": "accepted"})
            agent.post(f"{path}/execute")
            agent.post(
                f"{path}/resolve",
                {
                    "cause": rng.choice(("service", "price", "information")),
                    "fault": rng.choice(("ours", "not_ours")),
                    "resolution": "Simulated",
                },
            )
        advance(1)


def take_returns(
    system: System, sales: Sequence[str], lot: str, imported: Imported, advance: Advance
) -> list[dict[str, Any]]:
    """Every pack of a recalled lot that comes back: two approvals, receipt, inspection, destruction, refund.

    The refunds are approved together and paid together, by two persons. Waits until returns has heard of it.
    Source: R1 R4 R8 R10 R17 R21 F22
    """
    clerk = Caller(system, "returns", "sim-invoicing-clerk", "invoicing_clerk")
    staff = _ReturnStaff(system)
    settled = []
    for sale_id in sales:
        receipt = imported.posted[sale_id]
        sold = _sold_lines(clerk, sale_id, receipt.branch_id, lot)
        settled.append(_take_one(clerk, staff, receipt, sale_id, sold))
        advance(1)
    _pay_back(system, [notice["return_id"] for notice in settled])
    return [_refunded(clerk, notice["return_id"]) for notice in settled]


def _pay_back(system: System, return_ids: Sequence[str]) -> None:
    """Approve what is owed, then pay: channels in one list, cash at the counter. What was paid before stays so."""
    auditor = Caller(system, "finance", "sim-auditor", "finance_auditor")
    accountant = Caller(system, "finance", "sim-accountant", "accountant")
    cashier = Caller(system, "finance", "sim-cashier", "cashier")
    owed = [each for return_id in return_ids if (each := _owed(accountant, return_id))["state"] != "paid"]
    if not owed:
        return
    to_approve = [each["refund_id"] for each in owed if each["state"] == "verified"]
    if to_approve:
        _all_done(
            auditor.post(
                "/v1/refunds/decisions/bulk",
                {"refund_ids": to_approve, "decision": "approved"},
                key=to_approve[0],
            )
        )
    by_channel = []
    for each in owed:
        unpaid = [part["tender"] for part in each["parts"] if part["paid_on"] is None]
        if "cash" in unpaid:
            path = f"/v1/refunds/{each['refund_id']}/pay"
            cashier.post(path, {"parts": [{"tender": "cash"}]})
        parts = [
            {"tender": tender, "reference": f"SIM-{each['refund_id']}"}
            for tender in unpaid
            if tender != "cash"
        ]
        if parts:
            by_channel.append({"refund_id": each["refund_id"], "parts": parts})
    if by_channel:
        key = by_channel[0]["refund_id"]
        _all_done(accountant.post("/v1/refunds/pay/bulk", {"payments": by_channel}, key=key))


def _owed(accountant: Caller, return_id: str) -> dict[str, Any]:
    """The refund of a settled return, as soon as finance has heard of it."""

    def heard() -> dict[str, Any] | None:
        found = accountant.get("/v1/refunds", return_id=return_id)["items"]
        return found[0] if found else None

    return wait_for(f"finance hearing of return {return_id}", heard, within_s=HEARD_WITHIN_S)


def _all_done(answer: dict[str, Any]) -> None:
    refused = [each for each in answer["items"] if each["code"]]
    if refused:
        raise CannotRun(f"finance refused a refund: {refused[0]['detail']}")


class _ReturnStaff:
    """The people of a return, each with one duty."""

    def __init__(self, system: System) -> None:
        self.business_head = Caller(system, "returns", "sim-business-head", "business_head")
        self.qa = Caller(system, "returns", "sim-qa", "qa")
        self.storekeeper = Caller(system, "returns", "sim-storekeeper", "storekeeper")
        self.receiver = Caller(system, "returns", "sim-receiver", "receiver")
        self.inspector = Caller(system, "returns", "sim-inspector", "inspector")


def _take_one(
    clerk: Caller, staff: _ReturnStaff, receipt: Receipt, sale_id: str, sold: list[dict[str, Any]]
) -> dict[str, Any]:
    notice = clerk.post(
        "/v1/returns",
        {
            "branch_id": receipt.branch_id,
            "kind": "retail",
            "sale_id": sale_id,
            "reason": "recall",
            "package": {"unopened": True, "intact": True},
            "proof_refs": ["simulated-recall-notice"],
            "lines": [
                {"sale_line_id": line["sale_line_id"], "lot": line["lot"], "quantity": line["quantity"]}
                for line in sold
            ],
        },
        key=sale_id,
    )
    if notice["state"] == "refused":
        raise CannotRun(
            f"returns refused a notice for sale {sale_id}: {notice['cause']}, {notice['cause_detail']}"
        )
    path = f"/v1/returns/{notice['return_id']}"
    lines = notice["lines"]
    staff.business_head.post(f"{path}/decisions", {"decision": "approved"})
    approved = staff.qa.post(f"{path}/decisions", {"decision": "approved"})
    if approved["pickup"]:  # a customer of a shop brings the goods; a business has them fetched
        staff.storekeeper.post(f"{path}/pick-up")
    staff.receiver.post(
        f"{path}/receive",
        {
            "record": {"quarantine_location": "returns-area-1"},
            "lines": [
                {"return_line_id": line["return_line_id"], "lot": line["lot"], "quantity": line["quantity"]}
                for line in lines
            ],
        },
    )
    staff.inspector.post(f"{path}/inspect", {"lines": [_report(line) for line in lines]})
    staff.qa.post(
        f"{path}/dispose",
        {"lines": [{"return_line_id": line["return_line_id"], "disposition": "destroy"} for line in lines]},
    )
    return clerk.post(f"{path}/settle")


def _report(line: dict[str, Any]) -> dict[str, Any]:
    checks = ("appearance", "packaging", "label", "leaflet", "seal", "expiry", "trace_code", "documents")
    return {
        "return_line_id": line["return_line_id"],
        "cases": 1,
        "is_intact": False,
        "has_anomaly": False,
        "cases_sampled": 1,
        "checks": {check: "fail" if check == "expiry" else "pass" for check in checks},
        "accepted_quantity": line["quantity"],
    }


def _sold_lines(clerk: Caller, sale_id: str, branch_id: str, lot: str) -> list[dict[str, Any]]:
    """The sale's lines of that lot, as soon as returns has heard of the sale from finance."""

    def heard() -> list[dict[str, Any]] | None:
        try:
            found = clerk.ask("GET", "/v1/sold-lines", params={"branch_id": branch_id, "sale_id": sale_id})
        except Refused as refused:
            if refused.status == NOT_FOUND:
                return None
            raise
        return [line for line in found["items"] if line["lot"] == lot]

    return wait_for(f"returns hearing of sale {sale_id}", heard, within_s=HEARD_WITHIN_S)


def _refunded(clerk: Caller, return_id: str) -> dict[str, Any]:
    def paid() -> dict[str, Any] | None:
        notice = clerk.get(f"/v1/returns/{return_id}")
        return notice if notice["refund_id"] else None

    return wait_for(f"the refund of return {return_id}", paid, within_s=REFUND_WITHIN_S)
