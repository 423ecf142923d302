"""Contracts and samples publish exactly their example messages."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from uuid import UUID

import pytest

from finance.contract_forms.rules import Agreed, AgreedLine, AgreedTerms, Content, Instalment
from finance.contracts import events
from finance.contracts.model import Signed
from finance.samples import events as sample_events
from finance.samples.model import Sample

EXAMPLES = Path(__file__).parents[2] / "services/finance/contracts/events"
CUSTOMER = UUID("0199b1c0-0000-7000-8000-000000000001")
DAY = date(2026, 3, 20)
CONTRACT = Signed(
    contract_id=UUID("0199b1c0-0000-7000-8000-000000000301"),
    number="HT-S001-2026-0001",
    branch_id="S001",
    customer_id=CUSTOMER,
    state="active",
    version=1,
    revision=1,
    draft=Content(),
    submissions=1,
    drafted_by="seller",
    drafted_at=datetime(2026, 3, 10, tzinfo=UTC),
    reviewed_on=date(2026, 3, 17),
    signed_on=date(2026, 3, 18),
    valid_from=date(2026, 3, 1),
    valid_until=date(2027, 2, 28),
    value_fen=199_000,
)
CONTENT = Agreed(
    lines=(
        AgreedLine(
            line_no=1,
            product_id="P-1",
            generic_name="阿莫西林胶囊",
            specification="0.25 g × 24",
            category="otc",
            quantity=100,
            unit_price_fen=1990,
            tax_bp=1300,
            delivery_date=date(2026, 4, 30),
        ),
    ),
    payment_terms=AgreedTerms(method="bank", instalments=(Instalment(30, 10_000),)),
    quality_clause="q",
    our_signatory="boss",
    customer_signatory="0199b1c0-0000-7000-8000-000000000304",
    place="上海",
    dated_on=date(2026, 3, 18),
    file_sha256="ab" * 32,
    valid_from=date(2026, 3, 1),
    valid_until=date(2027, 2, 28),
)
SAMPLE = Sample(
    sample_id=UUID("0199b1c0-0000-7000-8000-000000000302"),
    number="YP-S001-2026-0001",
    branch_id="S001",
    kind="product",
    recipient="institution",
    customer_id=CUSTOMER,
    purpose="trial",
    product_id="P-1",
    generic_name="阿莫西林胶囊",
    category="otc",
    lot="L1",
    lot_key="L1",
    expiry=date(2027, 12, 31),
    quantity=2,
    tax_bp=1300,
    reason="试用",
    state="approved",
    subject_hash="ab",
    requested_by="seller",
    issued_by=None,
)
MADE = [
    events.contract_signed(CONTRACT, CONTENT, lag_days=2, late=False, revision=1, day=DAY),
    events.contract_amended(
        replace(CONTRACT, version=2, value_fen=298_500),
        amendment_id="0199b1c0-0000-7000-8000-000000000303",
        before_fen=199_000,
        revision=2,
        day=DAY,
    ),
    events.contract_fulfilled(CONTRACT, shipped_fen=199_000, shipped=100, late=20, revision=3, day=DAY),
    events.contract_expired(CONTRACT, unshipped_fen=39_800, revision=3, day=date(2027, 3, 1)),
    events.contract_terminated(CONTRACT, unshipped_fen=99_500, revision=3, day=DAY),
    sample_events.sample_issued(SAMPLE, cost_fen=2_300, day=DAY),
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


@pytest.mark.requirement("F9", "C37", "F25")
@pytest.mark.parametrize("event", MADE, ids=lambda event: event.type)
def test_each_published_event_is_its_example(event):
    assert json.loads((EXAMPLES / f"{event.type}.json").read_text()) == message(event)


def test_every_published_type_has_an_example():
    assert {event.type for event in MADE} == {*events.PUBLISHED, *sample_events.PUBLISHED}


def test_samples_for_a_purpose_name_no_customer():
    assert (
        sample_events.sample_issued(replace(SAMPLE, customer_id=None), cost_fen=0, day=DAY).data[
            "customer_id"
        ]
        is None
    )
