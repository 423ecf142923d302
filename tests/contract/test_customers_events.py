"""Customers emits exactly its examples, and accepts every example of what it reads."""

from datetime import date
from pathlib import Path
from uuid import UUID

import msgspec
import orjson
import pytest

from customers.credit import events as credit
from customers.licences import events as licences
from customers.loyalty import events as loyalty
from customers.loyalty.reactions import SUBSCRIPTIONS
from customers.offers import events as offers
from customers.privacy import events as privacy
from customers.registration import events as registration
from deploy.generate.repository import examples

FOLDER = Path(__file__).parents[2] / "services" / "customers" / "contracts" / "events"
DAY = date(2026, 11, 2)
PATIENT = UUID("01933a10-0000-7000-8000-00000000000c")
PHARMACY = UUID("01933a10-0000-7000-8000-00000000000d")
LICENCE = UUID("01933a10-0000-7000-8000-00000000000e")
SALE = "01933a10-0000-7000-8000-00000000000a"
REDEMPTION = UUID("01933a10-0000-7000-8000-00000000000f")
EXPIRY = UUID("01933a10-0000-7000-8000-000000000010")
OFFER = UUID("01933a10-0000-7000-8000-000000000011")
PLAN = UUID("01933a10-0000-7000-8000-000000000012")
DRAWING = UUID("01933a10-0000-7000-8000-000000000013")
RETURN = "01933a10-0000-7000-8000-00000000000b"
PERSONAL = {"name", "phone", "id_number", "birthday", "legal_name", "uscc", "contacts", "address"}

EMITTED = (
    registration.customer_registered(
        customer_id=PATIENT,
        kind="patient",
        branch_id="B001",
        source_channel="walk_in",
        status="active",
        on=DAY,
    ),
    privacy.customer_anonymised(customer_id=PATIENT, version=2, on=DAY),
    licences.permission_changed(
        customer_id=PHARMACY,
        branch_id="B001",
        kind="pharmacy",
        allowed=True,
        categories=["otc", "rx"],
        reasons=[],
        valid_until=date(2027, 6, 30),
        permission_version=3,
        on=DAY,
    ),
    credit.credit_changed(
        customer_id=PHARMACY,
        branch_id="B001",
        limit_fen=50_000_000,
        overdue_tolerance_fen=100_000,
        on_hold=False,
        valid_until=date(2027, 6, 30),
        credit_version=2,
        on=DAY,
    ),
    offers.offer_proposed(
        offer_id=OFFER,
        plan_id=PLAN,
        branch_id="B001",
        first_day=date(2026, 11, 5),
        last_day=date(2026, 11, 30),
        cost_fen=500_000,
        on=DAY,
    ),
    offers.offer_published(
        offer_id=OFFER,
        branch_id="B001",
        benefit="gift",
        first_day=date(2026, 11, 5),
        last_day=date(2026, 11, 30),
        version=2,
        on=DAY,
    ),
    offers.offer_ended(
        offer_id=OFFER,
        plan_id=PLAN,
        branch_id="B001",
        drawing_id=DRAWING,
        ending="ended",
        used_fen=420_000,
        version=3,
        on=DAY,
    ),
    licences.licence_verified(
        customer_id=PHARMACY,
        branch_id="B001",
        licence_id=LICENCE,
        licence_type="drug_operation_licence",
        valid_until=date(2027, 6, 30),
        scope=["otc", "rx"],
        version=1,
        on=DAY,
    ),
    licences.licence_expired(
        customer_id=PHARMACY,
        branch_id="B001",
        licence_id=LICENCE,
        licence_type="drug_operation_licence",
        version=2,
        on=date(2027, 7, 1),
    ),
    loyalty.points_earned(
        customer_id=str(PATIENT), branch_id="B001", sale_id=SALE, points=33, money_basis_fen=3390, on=DAY
    ),
    loyalty.points_taken_back(
        customer_id=str(PATIENT),
        branch_id="B001",
        sale_id=SALE,
        return_id=RETURN,
        points=11,
        version=2,
        on=DAY,
    ),
    loyalty.points_corrected(
        customer_id=str(PATIENT),
        branch_id="B001",
        sale_id=SALE,
        return_id=RETURN,
        points=11,
        cause="refund_lost",
        lost_event_id=LICENCE,
        version=3,
        on=DAY,
    ),
    loyalty.points_redeemed(
        redemption_id=REDEMPTION,
        customer_id=str(PATIENT),
        branch_id="B001",
        receipt_number="R-1001",
        points=30,
        value_fen=30,
        lots=[(SALE, 22), (RETURN, 8)],
        on=DAY,
    ),
    loyalty.points_restored(
        redemption_id=REDEMPTION,
        customer_id=str(PATIENT),
        branch_id="B001",
        points=30,
        lots=[(SALE, 22), (RETURN, 8)],
        cause="not_used",
        on=DAY,
    ),
    loyalty.points_taken_again(
        redemption_id=REDEMPTION,
        customer_id=str(PATIENT),
        branch_id="B001",
        sale_id=SALE,
        points=30,
        version=3,
        on=DAY,
    ),
    loyalty.points_expired(
        expiry_id=EXPIRY,
        customer_id=str(PATIENT),
        lots=[(SALE, "B001", 22)],
        version=1,
        on=date(2028, 1, 1),
    ),
)


def shown(event):
    return {
        "type": event.type,
        "subject": event.subject,
        "version": event.version,
        "day": event.day.isoformat(),
        "amount_fen": event.amount_fen,
        "data": event.data,
    }


@pytest.mark.parametrize("event", EMITTED, ids=lambda event: event.type)
def test_what_is_emitted_is_the_published_example(event):
    assert shown(event) == orjson.loads((FOLDER / f"{event.type}.json").read_bytes())


def test_every_published_example_is_emitted_and_every_emitted_fact_has_one():
    assert {path.name for path in FOLDER.glob("*.json")} == {f"{event.type}.json" for event in EMITTED}


@pytest.mark.requirement("C2", "C4")
@pytest.mark.parametrize("event", EMITTED, ids=lambda event: event.type)
def test_no_fact_tells_anything_personal(event):
    assert not PERSONAL & event.data.keys()


def test_every_example_of_what_is_read_is_understood():
    for example in examples():
        if example.type in SUBSCRIPTIONS:
            msgspec.convert(example.data, SUBSCRIPTIONS[example.type])
