"""Expenses publishes exactly its example messages."""

import json
from datetime import date
from pathlib import Path
from uuid import UUID

import msgspec
import pytest

from finance.budget_control import events as of_budgets
from finance.expenses import events
from finance.expenses.rules import Claim, ClaimState, Item
from finance.promotions import events as of_drawings
from finance.promotions.model import OfferProposed

EXAMPLES = Path(__file__).parents[2] / "services/finance/contracts/events"
OFFERS = Path(__file__).parents[2] / "services/customers/contracts/events"
CLAIM = Claim(
    claim_id=UUID("0199b1c0-0000-7000-8000-000000000021"),
    branch_id="S001",
    department="wholesale",
    campaign="",
    claimant="salesperson-1",
    state=ClaimState.APPROVED,
    claimed_fen=16_200,
    accepted_fen=13_550,
    subject_hash="0" * 64,
)
BUDGET = {
    "budget_id": UUID("0199b1c0-0000-7000-8000-000000000022"),
    "branch_id": "S001",
    "department": "",
    "category": "travel",
    "campaign": "",
    "amount_fen": 100_000,
    "over_fen": 6_000,
    "times": 1,
}
ITEMS = [
    Item(
        no=1,
        category="travel",
        amount_fen=10_900,
        tax_fen=900,
        invoice_no="24312000000012345678",
        spent_on=date(2026, 3, 3),
        accepted_fen=10_900,
        accepted_tax_fen=900,
    ),
    Item(
        no=2,
        category="entertainment",
        amount_fen=5_300,
        tax_fen=300,
        invoice_no="24312000000012345679",
        spent_on=date(2026, 3, 4),
        attendees=("0199b1c0-0000-7000-8000-000000000001",),
        accepted_fen=2_650,
        accepted_tax_fen=150,
    ),
]
VOUCHER = UUID("0199b1c0-0000-7000-8000-000000000023")
DAY = date(2026, 3, 20)
TOLD_ON = date(2026, 11, 2)
OFFER = msgspec.convert(
    json.loads((OFFERS / "customers.offer.proposed.v1.json").read_text())["data"], OfferProposed
)
MADE = [
    events.expense_audited(CLAIM, accepted_fen=13_550, hit=True, day=DAY),
    events.expense_approved(CLAIM, ITEMS, day=DAY),
    events.expense_paid(CLAIM, paid_fen=13_550, paid_from="bank", day=DAY),
    of_budgets.budget_exceeded(**BUDGET, source_kind="manual", source_id=VOUCHER, day=DAY),
    of_drawings.drawing_granted(OFFER, drawing_id=UUID("01933a10-0000-7000-8000-000000000013"), day=TOLD_ON),
    of_drawings.drawing_refused(OFFER, code="budget_exceeded", day=TOLD_ON),
]


def message(event):
    return {
        "type": event.type,
        "subject": event.subject,
        "version": event.version,
        "day": event.day.isoformat(),
        "amount_fen": event.amount_fen,
        "data": event.data,
    }


@pytest.mark.requirement("F18", "F20")
@pytest.mark.parametrize("event", MADE, ids=lambda event: event.type)
def test_each_published_event_is_its_example(event):
    assert json.loads((EXAMPLES / f"{event.type}.json").read_text()) == message(event)


def test_every_published_type_has_an_example():
    assert {event.type for event in MADE} == {
        *events.PUBLISHED,
        *of_drawings.PUBLISHED,
        *of_budgets.PUBLISHED,
    }
