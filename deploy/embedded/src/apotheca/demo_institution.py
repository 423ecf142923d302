"""Step three of the demonstration: one simulated institution, from its licence to the bank's file.

A clinic is registered, approved and granted credit. It owed money before these books: that is carried in by an opening
voucher, one part is paid in time, the other falls overdue and is reminded of. Then a contract is signed, ordered from,
shipped by lot, invoiced and its first instalment paid. Every step is a request of the person whose duty it is. What the
services date themselves happens today: a customer who may buy since today cannot owe for goods of last month.
Source: F8 F10 F13 F14 F16 I29
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from os import environ
from pathlib import Path
from typing import Any

from apotheca import demo_bank
from apotheca.demo_client import Refused
from apotheca.demo_clinic import (
    APPROVED,
    BRANCH,
    COST_FEN,
    LOTS,
    PRICE_FEN,
    PRODUCT,
    TAX_BP,
    Staff,
    first_day,
    grant_credit,
    money,
    register,
    set_price,
    take_goods_in,
)
from apotheca.refusals import CannotRun
from apotheca.system import System

FOLDER = "demo/institution"
ORDERED = sum(quantity for _, quantity in LOTS)
SOLD_FEN = ORDERED * PRICE_FEN
PAID_IN_TIME_FEN, OVERDUE_FEN = 500_000, 404_000
"""What it owed before these books, in two parts."""
CARRIED_FEN = PAID_IN_TIME_FEN + OVERDUE_FEN
DUE_DAYS_AGO, PAID_DAYS_AGO = 30, 40
CAPITAL = "4001"
INSTALMENTS = ((0, 3_000), (60, 7_000))
"""Of the contract: days after delivery, share in bp."""
FIRST_INSTALMENT_FEN = SOLD_FEN * INSTALMENTS[0][1] // 10_000
LETTER_LEVEL = 2
INVOICE = f"{1:020d}"
PAPER_HASH = "0" * 64
"""Nobody scanned a paper of the simulation."""
STEPS = 6

Advance = Callable[[int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """What was made, as it is told and looked up afterwards. `papers` are the files written, by name."""

    customer_id: str
    began_on: date
    contract_number: str
    order_number: str
    letter_id: str
    letter_days: int
    reconciliation: dict[str, Any]
    papers: dict[str, Path] = field(default_factory=dict)


def run(system: System, advance: Advance) -> Story:
    """Do all of it, or find it done: each request has a key of its own, and days count from the first run's day."""
    staff = Staff(system)
    began_on = first_day(staff)
    customer_id, contact_id = register(staff)
    advance(1)
    grant_credit(staff, customer_id)
    set_price(staff, began_on)
    take_goods_in(staff, began_on)
    advance(1)
    in_time, late = _carry_in(staff, customer_id, began_on)
    _pay(staff, customer_id, 1, in_time, PAID_IN_TIME_FEN, began_on - timedelta(days=PAID_DAYS_AGO))
    advance(1)
    contract = _sign_contract(staff, customer_id, contact_id, began_on)
    order, shipment = _order_and_ship(staff, customer_id, contract, began_on)
    _invoice(staff, shipment["sale_id"], began_on)
    _pay(
        staff, customer_id, 2, _first_instalment(staff, customer_id, shipment), FIRST_INSTALMENT_FEN, began_on
    )
    advance(1)
    letter = _remind(system, staff, customer_id, late)
    _pay(staff, customer_id, 3, late, OVERDUE_FEN, began_on)
    advance(1)
    folder = system.folder / FOLDER
    reconciliation, bank_file = demo_bank.reconcile(
        staff.finance, BRANCH, folder, payments_of(began_on), began_on
    )
    advance(1)
    papers = _print(staff, folder, contract["contract_id"], shipment["shipment_id"], letter["letter_id"])
    return Story(
        customer_id=customer_id,
        began_on=began_on,
        contract_number=contract["number"],
        order_number=order["number"],
        letter_id=letter["letter_id"],
        letter_days=max(each["days"] for each in letter["items"]),
        reconciliation=reconciliation,
        papers={**papers, "bank": bank_file},
    )


def reference(number: int) -> str:
    return f"SIM-TRANSFER-{number}"


def payments_of(began_on: date) -> list[demo_bank.Transfer]:
    """What the clinic transfers, as its bank and ours see it."""
    days_and_fen = (
        (began_on - timedelta(days=PAID_DAYS_AGO), PAID_IN_TIME_FEN),
        (began_on, FIRST_INSTALMENT_FEN),
        (began_on, OVERDUE_FEN),
    )
    return [
        demo_bank.Transfer(day=day, fen=fen, reference=reference(number))
        for number, (day, fen) in enumerate(days_and_fen, 1)
    ]


# --- what it buys -----------------------------------------------------------------------------------


def eve_of_the_books() -> date:
    """The day of the opening balances; finance's books begin the day after, by the same variable."""
    return date.fromisoformat(environ.get("APOTHECA_COMPANY_BOOKS_BEGIN") or "2010-01-01") - timedelta(days=1)


def _carry_in(staff: Staff, customer_id: str, began_on: date) -> tuple[str, str]:
    """The opening balance (期初余额) of the clinic: drafted by one, approved by another. Returns the two debts' ids."""
    due_on = began_on - timedelta(days=DUE_DAYS_AGO)
    if not _debts_due(staff, customer_id, due_on):
        debtor = {"account": "1122", "customer_id": customer_id, "due_on": due_on.isoformat()}
        body = {
            "booked_on": eve_of_the_books().isoformat(),
            "branch_id": BRANCH,
            "summary": "模拟期初余额 simulated opening balance",
            "lines": [
                {**debtor, "debit": money(PAID_IN_TIME_FEN)},
                {**debtor, "debit": money(OVERDUE_FEN)},
                {"account": CAPITAL, "credit": money(CARRIED_FEN)},
            ],
        }
        draft = staff.finance("accountant").post("/v1/vouchers", body)
        decided = f"/v1/vouchers/{draft['voucher_id']}/decisions"
        staff.finance("finance_head").post(decided, APPROVED)
    debts = {each["amount"]["fen"]: each["item_id"] for each in _debts_due(staff, customer_id, due_on)}
    return debts[PAID_IN_TIME_FEN], debts[OVERDUE_FEN]


def _sign_contract(staff: Staff, customer_id: str, contact_id: str, began_on: date) -> dict[str, Any]:
    """Drafted by sales, reviewed by two heads, signed by both parties; active at once."""
    signatory = staff.finance("management").person
    content = {
        "lines": [
            {
                "line_no": 1,
                "product_id": PRODUCT["product_id"],
                **{
                    name: PRODUCT[name]
                    for name in ("generic_name", "specification", "dosage_form", "category")
                },
                "quantity": ORDERED,
                "unit_price": money(PRICE_FEN),
                "tax_bp": TAX_BP,
                "delivery_date": (began_on + timedelta(days=7)).isoformat(),
            }
        ],
        "payment_terms": {
            "method": "bank",
            "instalments": [{"days": days, "share_bp": share_bp} for days, share_bp in INSTALMENTS],
        },
        "quality_clause": "模拟 simulated：符合《中国药典》及注册标准",
        "our_signatory": signatory,
        "customer_signatory": contact_id,
        "place": "模拟 simulated",
        "dated_on": began_on.isoformat(),
        "file_sha256": PAPER_HASH,
        "valid_from": began_on.isoformat(),
        "valid_until": (began_on + timedelta(days=364)).isoformat(),
    }
    seller = staff.finance("salesperson")
    body = {"branch_id": BRANCH, "customer_id": customer_id, "content": content}
    contract = seller.post("/v1/contracts", body)
    path = f"/v1/contracts/{contract['contract_id']}"
    seller.post(f"{path}/submit")
    for role in ("business_head", "finance_head"):
        staff.finance(role).post(f"{path}/decisions", APPROVED)
    signed = {"signed_on": began_on.isoformat(), "file_sha256": PAPER_HASH}
    staff.finance("management").post(f"{path}/signatures", {"party": "ours", **signed})
    seller.post(f"{path}/signatures", {"party": "customer", "contact_id": contact_id, **signed})
    return contract


def _order_and_ship(
    staff: Staff, customer_id: str, contract: dict[str, Any], began_on: date
) -> tuple[dict[str, Any], dict[str, Any]]:
    """All of the contract: ordered by sales, confirmed at the gate by another, shipped by the storekeeper."""
    line = {
        "no": 1,
        "product": PRODUCT,
        "quantity": ORDERED,
        "unit_price": money(PRICE_FEN),
        "tax_bp": TAX_BP,
        "deliver_on": (began_on + timedelta(days=7)).isoformat(),
        "contract_line": 1,
    }
    body = {
        "branch_id": BRANCH,
        "customer_id": customer_id,
        "contract_id": contract["contract_id"],
        "lines": [line],
    }
    order = staff.finance("salesperson").post("/v1/orders", body)
    path = f"/v1/orders/{order['order_id']}"
    staff.finance("invoicing_clerk").post(f"{path}/confirm", {"version": 1})
    parcels = [
        {
            "line_no": 1,
            "lot": lot,
            "expiry": f"{began_on.year + 2}-12-31",
            "quantity": quantity,
            "cost": money(quantity * COST_FEN),
        }
        for lot, quantity in LOTS
    ]
    return order, staff.finance("storekeeper").post(f"{path}/ship", {"lines": parcels})


def _invoice(staff: Staff, sale_id: str, began_on: date) -> None:
    """What the tax office's invoice says, under a number that no tax office gives."""
    clerk = staff.finance("invoicing_clerk")
    sale = clerk.get(f"/v1/sales/{sale_id}")
    body = {
        "number": INVOICE,
        "kind": "special",
        "issued_on": began_on.isoformat(),
        "sales": [{"sale_id": sale_id}],
        "rates": [{"tax_bp": TAX_BP, "net": sale["net"], "tax": sale["tax"]}],
    }
    clerk.post("/v1/invoices", body)


# --- what it pays, and when it does not -------------------------------------------------------------


def _pay(staff: Staff, customer_id: str, number: int, item_id: str, fen: int, received_on: date) -> None:
    """A bank transfer that pays the named debt."""
    body = {
        "customer_id": customer_id,
        "branch_id": BRANCH,
        "tender": "bank",
        "reference": reference(number),
        "received_on": received_on.isoformat(),
        "amount": money(fen),
        "allocations": [{"item_id": item_id, "amount": money(fen)}],
    }
    staff.finance("cashier").post("/v1/payments", body, key=reference(number))


def _items(staff: Staff, customer_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = staff.finance("accountant").get(
        "/v1/receivable-items", customer_id=customer_id, limit=200
    )["items"]
    return found


def _debts_due(staff: Staff, customer_id: str, due_on: date) -> list[dict[str, Any]]:
    return [
        each
        for each in _items(staff, customer_id)
        if each["due_on"] == due_on.isoformat() and each["amount"]["fen"] > 0
    ]


def _first_instalment(staff: Staff, customer_id: str, shipment: dict[str, Any]) -> str:
    """The id of the first debt of what was shipped."""
    debts = [each for each in _items(staff, customer_id) if each["source_id"] == shipment["sale_id"]]
    first: str = min(debts, key=lambda each: each["due_on"])["item_id"]
    return first


def _remind(system: System, staff: Staff, customer_id: str, item_id: str) -> dict[str, Any]:
    """By the ladder: a call first. The clinic disputes the debt, the head of finance finds that it stands; then the letter.

    Without the dispute a week lies between call and letter (finance's receivable_rules.json).
    """
    accountant = staff.finance("accountant")
    written = accountant.get("/v1/dunning-letters", customer_id=customer_id)["items"]
    if written:
        return accountant.get(f"/v1/dunning-letters/{written[0]['letter_id']}")
    system.run_job("finance", "dun")
    cases = accountant.get("/v1/dunning-cases", customer_id=customer_id)["items"]
    [case] = [each for each in cases if each["item_id"] == item_id]
    path = f"/v1/dunning-cases/{case['case_id']}"
    seller = staff.finance("salesperson")
    script = seller.get(f"{path}/scripts")
    call = {"channel": "phone", "outcome": "disputed", "text_version": script["version"]}
    try:
        seller.try_post(f"{path}/actions", call)
        resolution = {"reason": "模拟 simulated: the delivery note is signed, the debt stands"}
        staff.finance("finance_head").try_post(f"/v1/receivable-items/{item_id}/resolve", resolution)
    except Refused as refused:
        raise CannotRun(f"finance refused a reminder: {refused.code}, {refused.detail}") from refused
    system.run_job("finance", "dun")
    letter = {"customer_id": customer_id, "level": LETTER_LEVEL, "language": "zh"}
    return accountant.post("/v1/dunning-letters", letter)


def _print(staff: Staff, folder: Path, contract_id: str, shipment_id: str, letter_id: str) -> dict[str, Path]:
    """The papers, where a person finds them."""
    reader = staff.finance("accountant")
    addresses = {
        "contract": f"/v1/contracts/{contract_id}/pdf",
        "delivery-note": f"/v1/shipments/{shipment_id}/pdf",
        "letter": f"/v1/dunning-letters/{letter_id}/pdf",
    }
    papers = {}
    for name, address in addresses.items():
        papers[name] = folder / f"{name}.pdf"
        papers[name].write_bytes(reader.download(address))
    return papers
