"""Receivables publish exactly their example messages; finance.receivable.settled is shown with the others of finance."""

import json
from datetime import date
from pathlib import Path
from uuid import UUID

import pytest
from msgspec.structs import replace

from finance.allocations import events as of_allocations
from finance.allocations.rules import Match
from finance.dunning import events as of_dunning
from finance.dunning.model import Done
from finance.dunning.rules import Outcome
from finance.open_items import Item
from finance.receivables import events

EXAMPLES = Path(__file__).parents[2] / "services/finance/contracts/events"
CUSTOMER = "0199b1c0-0000-7000-8000-000000000001"
ITEM = "0199b1c0-0000-7000-8000-000000000201"
PAYMENT = "0199b1c0-0000-7000-8000-000000000202"
CASE = "0199b1c0-0000-7000-8000-000000000203"
ACTION = "0199b1c0-0000-7000-8000-000000000205"
CREDIT = UUID("0199b1c0-0000-7000-8000-000000000204")
DEBT = Item(item_id=UUID(ITEM), customer_id=UUID(CUSTOMER), branch_id="S001", kind="sale", source_id=UUID(PAYMENT), booked_on=date(2026, 3, 3), due_on=date(2026, 4, 2), amount_fen=3900, open_fen=3900, written_off_fen=0, is_disputed=False, version=1)  # fmt: skip
CREDIT_NOTE = replace(DEBT, item_id=CREDIT, kind="credit_note", amount_fen=-900, open_fen=-900)
OF = {"customer_id": CUSTOMER, "branch_id": "S001"}

MADE = [
    events.payment_received(payment_id=PAYMENT, **OF, tender="bank", amount_fen=5000, received_on=date(2026, 4, 9), day=date(2026, 4, 9), allocations=[{"item_id": ITEM, "fen": 3900}]),
    events.payment_reversed(payment_id=PAYMENT, **OF, amount_fen=5000, day=date(2026, 4, 12)),
    of_dunning.receivable_overdue(item_id=ITEM, **OF, days=1, amount_fen=3900, version=1, day=date(2026, 4, 3)),
    events.receivable_written_off(item_id=ITEM, **OF, amount_fen=3900, version=4, day=date(2026, 12, 30)),
    of_dunning.dunning_level_reached(case_id=CASE, item_id=ITEM, **OF, level=2, kind="letter", days=15, amount_fen=3900, promise_broken=False, version=3, day=date(2026, 4, 17)),
    of_dunning.dunning_action_done(UUID(ACTION), UUID(CASE), DEBT, Done("letter", Outcome.DELIVERED, None, "2026-01"), level=2, day=date(2026, 4, 9)),
    of_allocations.receivable_allocated(UUID(ACTION), Match(credit_id=CREDIT, debt_id=UUID(ITEM), fen=900), CREDIT_NOTE, date(2026, 4, 9)),
]  # fmt: skip


def message(event):
    return {
        "type": event.type,
        "subject": event.subject,
        "version": event.version,
        "day": event.day.isoformat(),
        "amount_fen": event.amount_fen,
        "data": event.data,
    }


@pytest.mark.parametrize("event", MADE, ids=lambda event: event.type)
def test_each_published_event_is_its_example(event):
    assert json.loads((EXAMPLES / f"{event.type}.json").read_text()) == message(event)


def test_every_published_type_has_an_example():
    assert {event.type for event in MADE} == {
        *events.PUBLISHED,
        *of_dunning.PUBLISHED,
        of_allocations.RECEIVABLE_ALLOCATED,
    }
