"""Returns publishes exactly its example messages, and reads the ones others publish."""

import json
from datetime import UTC, date, datetime
from pathlib import Path

import msgspec
import pytest

from returns.approvals import events as approvals
from returns.disposition import events as disposition
from returns.inspection import events as inspection
from returns.kernel import facts
from returns.known.model import SalePosted
from returns.known.reactions import SALE_POSTED
from returns.notices.model import RefundPaid
from returns.notices.reactions import REFUND_PAID
from returns.pickups import events as pickups
from returns.receiving import events as receiving
from returns.requests import events as requests
from returns.settlement import events as settlement
from returns.stop_sales import events as stop_sales

AREAS = (approvals, disposition, inspection, pickups, receiving, requests, settlement, stop_sales)
TYPES = {kind for area in AREAS for kind in area.PUBLISHED}
ROOT = Path(__file__).parents[2] / "services"
EXAMPLES = ROOT / "returns/contracts/events"
RETURN = "0199b1c0-0000-7000-8000-000000000001"
LINE = "0199b1c0-0000-7000-8000-000000000002"
SALE = "0199b1c0-0000-7000-8000-000000000003"
SALE_LINE = "0199b1c0-0000-7000-8000-000000000004"
CUSTOMER = "0199b1c0-0000-7000-8000-000000000005"
NUMBER = "TH-S001-2026-000001"
STOP = {
    "stop_sale_id": "0199b1c0-0000-7000-8000-000000000006",
    "product_id": "P-1",
    "lots": ["L20260101", "L20260102"],
}
GOODS = {"return_line_id": LINE, "sale_line_id": SALE_LINE, "lot": "L20260101", "quantity": 3}


def of(version):
    return facts.Of(return_id=RETURN, branch_id="S001", version=version, day=date(2026, 3, 2))


PUBLISHED = [
    requests.requested(
        of(1),
        number=NUMBER,
        kind="b2b",
        sale_id=SALE,
        customer_id=CUSTOMER,
        reason="transport_damage",
        lines=[{**GOODS, "product_id": "P-1", "temp_class": "normal", "net_fen": 300, "tax_fen": 39}],
    ),
    requests.refused(
        of(1),
        cause="over_quantity",
        kind="b2b",
        reason="transport_damage",
        sale_id=SALE,
        customer_id=CUSTOMER,
        product_ids=["P-1"],
    ),
    approvals.decided(of(3), role="qa", approved=True, business_s=9_000),
    approvals.approved(of(4), hours=5, needs_pickup=True, pickup_due_at=datetime(2026, 3, 3, 16, tzinfo=UTC)),
    approvals.rejected(of(3)),
    requests.cancelled(of(2)),
    pickups.pickup_breached(of(5), due_at="2026-03-03T16:00:00+00:00"),
    pickups.pickup_confirmed(of(5), hours=20, on_time=True),
    receiving.receipt_refused(
        of(6),
        return_line_id=LINE,
        lot="L20260101",
        cause="excursion",
        product_id="P-1",
        temp_class="cold_2_8",
    ),
    receiving.received(
        of(6),
        lines=[
            {
                "return_line_id": LINE,
                "lot": "L20260101",
                "quantity": 3,
                "product_id": "P-1",
                "temp_class": "normal",
            }
        ],
    ),
    inspection.inspected(of(7), return_line_id=LINE, lot="L20260101", result="pass"),
    disposition.dispositioned(of(8), return_line_id=LINE, lot="L20260101", quantity=3, disposition="destroy"),
    settlement.settled(
        of(9),
        number=NUMBER,
        sale_id=SALE,
        customer_id=CUSTOMER,
        reason="transport_damage",
        lines=[{**GOODS, "disposition": "destroy", "net_fen": 300, "tax_fen": 39, "cost_fen": 210}],
    ),
    stop_sales.stop_sale_ordered(
        **STOP, reason="片剂变色", ordered_at=datetime(2026, 3, 2, 3, tzinfo=UTC), day=date(2026, 3, 2)
    ),
    stop_sales.stop_sale_lifted(
        **STOP, lifted_at=datetime(2026, 3, 2, 9, 30, tzinfo=UTC), day=date(2026, 3, 2)
    ),
]


def example_of(event):
    return {
        "type": event.type,
        "subject": event.subject,
        "version": event.version,
        "day": event.day.isoformat(),
        "amount_fen": event.amount_fen,
        "data": event.data,
    }


def file_of(event_type):
    return EXAMPLES / f"{event_type.removeprefix('returns.')}.json"


@pytest.mark.parametrize("event", PUBLISHED, ids=lambda event: event.type)
def test_each_published_event_is_its_example(event):
    assert json.loads(file_of(event.type).read_text()) == example_of(event)


def test_every_published_type_has_an_example_and_no_example_is_left_over():
    assert {event.type for event in PUBLISHED} == set(TYPES)
    assert {path.name for path in EXAMPLES.glob("*.json")} == {file_of(kind).name for kind in TYPES}


@pytest.mark.parametrize(("event_type", "shape"), [(SALE_POSTED, SalePosted), (REFUND_PAID, RefundPaid)])
def test_the_examples_of_finance_are_understood(event_type, shape):
    messages = [json.loads(path.read_text()) for path in (ROOT / "finance/contracts/events").glob("*.json")]
    found = [message for message in messages if message["type"] == event_type]
    assert found, f"finance keeps no example of {event_type}"
    for message in found:
        assert msgspec.convert(message["data"], shape)
