"""Orders publishes exactly its example messages."""

import json
from datetime import date
from pathlib import Path
from uuid import UUID

import pytest

from finance.kernel.receipt import Product, TempClass
from finance.orders import events
from finance.orders.model import Delivery, Parcel, Proposed, Shipment
from finance.orders.rules import Line

EXAMPLES = Path(__file__).parents[2] / "services/finance/contracts/events"
DAY = date(2026, 3, 20)
LINE = Line(
    no=1,
    product=Product("P-1", "阿莫西林胶囊", "prescription", TempClass.NORMAL),
    quantity=100,
    unit_price_fen=1_000,
    unit_discount_fen=50,
    tax_bp=1_300,
    deliver_on=date(2026, 3, 25),
)
ORDER = Proposed(
    order_id=UUID("0199b1c0-0000-7000-8000-000000000041"),
    number="SO2026-000041",
    branch_id="S001",
    customer_id=UUID("0199b1c0-0000-7000-8000-000000000001"),
    contract_id=None,
    state="confirmed",
    version=2,
    shipments=0,
    proposal=[LINE],
    proposal_hash="ab",
    proposed_by="seller",
    proposer_roles=["salesperson"],
    drafted_by="seller",
    confirmed_at=None,
)
SENT = Shipment(
    shipment_id=UUID("0199b1c0-0000-7000-8000-000000000042"),
    delivery=Delivery(ORDER, {1: (LINE, 0)}, [Parcel(1, "L1", date(2027, 12, 31), 60, 30_000)]),
    sale_id="0199b1c0-0000-7000-8000-000000000043",
    receipt_number="SO2026-000041/1",
    sent_on=DAY,
    booked_on=DAY,
)
MADE = [
    events.order_confirmed(ORDER, permission_version=3, version=1, day=DAY),
    events.order_confirmed(ORDER, permission_version=3, version=2, day=DAY, is_change=True),
    events.order_ended(ORDER, "cancelled", unshipped_fen=95_000, version=3, day=DAY),
    events.order_ended(ORDER, "closed", unshipped_fen=38_000, version=3, day=DAY),
    events.shipment_sent(SENT),
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


@pytest.mark.requirement("F10", "F24")
@pytest.mark.parametrize("event", MADE, ids=lambda event: event.type)
def test_each_published_event_is_its_example(event):
    assert json.loads((EXAMPLES / f"{event.type}.json").read_text()) == message(event)


def test_every_published_type_has_an_example():
    assert {event.type for event in MADE} == set(events.PUBLISHED)
