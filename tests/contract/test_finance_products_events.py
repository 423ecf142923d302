"""The catalogue publishes exactly its example message."""

import json
from datetime import date
from pathlib import Path

import msgspec

from finance.products.events import PUBLISHED, product_changed
from finance.products.model import Version
from finance.products.rules import Product

EXAMPLES = Path(__file__).parents[2] / "services/finance/contracts/events"
PRODUCT = msgspec.convert(
    {
        "product_id": "1082185",
        "generic_name": "阿莫西林胶囊",
        "trade_name": "阿莫仙",
        "dosage_form": "胶囊剂",
        "specification": "0.25 g × 24",
        "mah": "示例制药",
        "maker": "示例制药",
        "approval_number": "国药准字H20170001",
        "legal_class": "rx",
        "control_class": "none",
        "temp_class": "normal",
        "category": "rx",
        "unit": "盒",
        "pack_factor": 200,
        "gtins": ["06901234567892"],
        "trace_prefixes": ["8123456"],
        "vat_code": "1070304010000000000",
    },
    Product,
)


def test_the_published_event_is_its_example():
    version = Version(PRODUCT, 3, date(2026, 12, 1), "master", "2026-11-30")
    event = product_changed(version, day=date(2026, 11, 30))
    made = {
        "type": event.type,
        "subject": event.subject,
        "version": event.version,
        "day": event.day.isoformat(),
        "amount_fen": event.amount_fen,
        "data": event.data,
    }
    assert {event.type} == set(PUBLISHED)
    assert json.loads((EXAMPLES / f"{event.type}.json").read_text()) == made
