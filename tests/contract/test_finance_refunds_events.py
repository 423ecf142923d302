"""Refunds and invoices publish exactly their example messages."""

import json
from datetime import date
from pathlib import Path

import pytest

from finance.invoices import events as invoices
from finance.invoices.rules import Fen
from finance.refund_amounts import ReturnedLine
from finance.refunds import events as refunds
from tests.support.finance_builders import CUSTOMER

EXAMPLES = Path(__file__).parents[2] / "services/finance/contracts/events"
SALE = "0199b1c0-0000-7000-8000-000000000003"
RETURN = "0199b1c0-0000-7000-8000-000000000005"
REFUND = "0199b1c0-0000-7000-8000-000000000006"
SALE_LINE = "0199b1c0-0000-7000-8000-000000000004"
REDEMPTION = "0199b1c0-0000-7000-8000-00000000000a"

MADE = [
    refunds.refund_failed(refund_id=REFUND, return_id=RETURN, sale_id=SALE, branch_id="S001", customer_id=None, tender="wechat", means="wechat", fen=1300, reason="account_closed", failed_on=date(2026, 3, 11), version=3),
    refunds.refund_withdrawn(refund_id=REFUND, return_id=RETURN, sale_id=SALE, branch_id="S001", customer_id=CUSTOMER, fen=1950, lost_event_id="0199b1c0-0000-7000-8000-00000000000b", withdrawn_on=date(2026, 3, 12), version=3),
    invoices.invoice_issued(invoice_id="0199b1c0-0000-7000-8000-000000000301", number="26312000000000000002", kind="special", colour="red", reverses="0199b1c0-0000-7000-8000-000000000300", branch_id="S001", customer_id="0199b1c0-0000-7000-8000-000000000001", sale_ids=[SALE], rates={1300: Fen(1725, 225)}, issued_on=date(2026, 3, 12)),
    refunds.refund_paid(refund_id=REFUND, kind="return", return_id=RETURN, sale_id=SALE, branch_id="S001", customer_id=CUSTOMER, business_date=date(2026, 3, 10), lines=[ReturnedLine(return_line_id="0199b1c0-0000-7000-8000-000000000008", sale_line_id=SALE_LINE, lot="L20260101", quantity=1, disposition="restock", net_fen=1725, tax_fen=225, cost_fen=1150)], tenders=[("cash", 400), ("medical_insurance", 1500), ("points", 50)], restored={"points": {"points": 50, "redemption_id": REDEMPTION}}, total_fen=1950, version=4),
]  # fmt: skip


@pytest.mark.requirement("F22")
@pytest.mark.parametrize("event", MADE, ids=lambda event: event.type)
def test_each_published_event_is_its_example(event):
    assert json.loads((EXAMPLES / f"{event.type}.json").read_text()) == {
        "type": event.type,
        "subject": event.subject,
        "version": event.version,
        "day": event.day.isoformat(),
        "amount_fen": event.amount_fen,
        "data": event.data,
    }


def test_every_published_type_has_an_example():
    assert {event.type for event in MADE} == {*refunds.PUBLISHED, *invoices.PUBLISHED}
