"""Receivables publish exactly their example messages; finance.receivable.settled is shown with the others of finance."""

import json
from datetime import date
from pathlib import Path

import pytest

from finance.dunning import events as of_dunning
from finance.receivables import events

EXAMPLES = Path(__file__).parents[2] / "services/finance/contracts/events"
CUSTOMER = "0199b1c0-0000-7000-8000-000000000001"
ITEM = "0199b1c0-0000-7000-8000-000000000201"
PAYMENT = "0199b1c0-0000-7000-8000-000000000202"
CASE = "0199b1c0-0000-7000-8000-000000000203"
OF = {"customer_id": CUSTOMER, "branch_id": "S001"}

MADE = [
    events.payment_received(payment_id=PAYMENT, **OF, tender="bank", amount_fen=5000, received_on=date(2026, 4, 9), day=date(2026, 4, 9), allocations=[{"item_id": ITEM, "fen": 3900}]),
    events.payment_reversed(payment_id=PAYMENT, **OF, amount_fen=5000, day=date(2026, 4, 12)),
    of_dunning.receivable_overdue(item_id=ITEM, **OF, days=1, amount_fen=3900, version=1, day=date(2026, 4, 3)),
    events.receivable_written_off(item_id=ITEM, **OF, amount_fen=3900, version=4, day=date(2026, 12, 30)),
    of_dunning.dunning_level_reached(case_id=CASE, item_id=ITEM, **OF, level=2, kind="letter", days=15, amount_fen=3900, promise_broken=False, version=3, day=date(2026, 4, 17)),
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
    assert {event.type for event in MADE} == {*events.PUBLISHED, *of_dunning.PUBLISHED}
