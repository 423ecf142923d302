"""Finance publishes exactly its example messages, and reads the ones others publish."""

import importlib.util
import json
import pkgutil
from datetime import UTC, date, datetime
from pathlib import Path

import msgspec
import orjson
import pytest

import finance
from finance.allocations import events as of_allocations
from finance.closing import events as of_closing
from finance.credit.model import CreditChanged
from finance.kernel.chart import Standard, chart_of
from finance.kernel.receipt import Receipt
from finance.points import rules
from finance.promotions.model import OfferEnded, OfferProposed
from finance.refunds.model import ReturnSettled
from finance.sales import events
from finance.sales.events import event_of
from finance.sales.rules.pricing import book_sale, price
from finance.statements import events as of_statements
from finance.stop_sales.model import StopSaleLifted, StopSaleOrdered
from finance.trade_permissions.model import PermissionChanged
from tests.support.finance_builders import CUSTOMER, a_line, a_receipt, money

ROOT = Path(__file__).parents[2] / "services"
EXAMPLES = ROOT / "finance/contracts/events"
SALE = "0199b1c0-0000-7000-8000-000000000003"
SALE_LINE = "0199b1c0-0000-7000-8000-000000000004"
RETURN = "0199b1c0-0000-7000-8000-000000000005"
REFUND = "0199b1c0-0000-7000-8000-000000000006"
REDEMPTION = "0199b1c0-0000-7000-8000-00000000000a"
STATEMENT = "0199b1c0-0000-7000-8000-000000000007"

RECEIPT = a_receipt(
    "S001-20260303-000017",
    customer_id=CUSTOMER,
    lines=[
        a_line(
            lot="L20260101",
            expiry="2027-12-31",
            product={"category": "device", "gtin": "6901234567892"},
            trace_codes=["81234567890123456789"],
            prescription={
                "number": "RX-20260303-7",
                "reviewed_by": "pharmacist-7",
                "reviewed_at": "2026-03-03T02:10:00Z",
            },
        )
    ],
    cashier_id="cashier-3",
    shift_id="S001-early",
    tenders=[
        {"tender": "card", "amount": money(3000), "channel_transaction_id": "4200001"},
        {"tender": "cash", "amount": money(800)},
        {"tender": "points", "amount": money(100), "redemption_id": REDEMPTION},
    ],
)


def priced():
    return price(
        msgspec.convert(RECEIPT, Receipt), now=datetime(2026, 3, 4, tzinfo=UTC), begins_on=date(2010, 1, 1)
    )


def message(event):
    return {
        "type": event.type,
        "subject": event.subject,
        "version": event.version,
        "day": event.day.isoformat(),
        "amount_fen": event.amount_fen,
        "data": event.data,
    }


MESSAGES = [
    {
        "type": events.SALE_POSTED,
        "subject": SALE,
        "version": 1,
        "day": "2026-03-03",
        "amount_fen": 3900,
        "data": orjson.loads(orjson.dumps(events.sale_posted(priced(), SALE, [SALE_LINE]))),
    },
    message(of_closing.period_closed(book="main", month="2026-03", version=1, day=date(2026, 3, 31))),
    message(of_closing.period_locked(book="main", month="2026-03", version=1, day=date(2026, 3, 31))),
    message(of_closing.period_reopened(book="main", month="2026-03", version=1, day=date(2026, 3, 31))),
    message(
        of_statements.statement_published(
            statement_id=STATEMENT,
            kind="income",
            span="month",
            month="2026-03",
            last_month="2026-03",
            version=1,
            leaf_lines=12,
            on_time=True,
            published_on=date(2026, 4, 6),
        )
    ),
    message(
        of_statements.statement_restated(
            statement_id=STATEMENT,
            kind="income",
            span="month",
            month="2026-03",
            last_month="2026-03",
            version=1,
            errors=[{"line": "revenue", "reported_fen": 2070600, "correct_fen": 2570600, "material": True}],
            day=date(2026, 5, 4),
        )
    ),
    message(
        of_allocations.receivable_settled(
            item_id="0199b1c0-0000-7000-8000-000000000201",
            customer_id=CUSTOMER,
            branch_id="S001",
            amount_fen=3900,
            due_on=date(2026, 4, 2),
            settled_on=date(2026, 4, 9),
            version=2,
        )
    ),
    message(
        of_closing.sub_ledgers_proved(book="main", at=datetime(2026, 4, 9, 4, 0, 5, tzinfo=UTC), differing=[])
    ),
]


@pytest.mark.parametrize("made", MESSAGES, ids=lambda made: made["type"])
def test_each_published_event_is_its_example(made):
    assert json.loads((EXAMPLES / f"{made['type']}.json").read_text()) == made


def test_every_published_type_has_an_example_and_no_example_is_left_over():
    assert {made["type"] for made in MESSAGES} == set(
        events.PUBLISHED | of_allocations.PUBLISHED | of_closing.PUBLISHED | of_statements.PUBLISHED
    ) - {of_allocations.RECEIVABLE_ALLOCATED}
    assert {path.name for path in EXAMPLES.glob("*.json")} == {
        f"{kind}.json" for kind in published_anywhere()
    }


def test_a_proof_that_found_a_difference_names_it_and_is_later_in_the_day():
    first, later = (
        of_closing.sub_ledgers_proved(book="main", at=datetime(2026, 4, 9, hour, tzinfo=UTC), differing=codes)
        for hour, codes in ((4, []), (10, ["receivables_differ"]))
    )
    assert later.data["ok"] is False
    assert later.data["differing"] == ["receivables_differ"]
    assert (first.subject, first.day) == (later.subject, later.day)
    assert first.version < later.version


def published_anywhere():
    """What finance and each of its areas publishes; an area's own contract test shows its examples."""
    found = set()
    for area in pkgutil.iter_modules(finance.__path__, "finance."):
        if area.ispkg and importlib.util.find_spec(f"{area.name}.events"):
            found.update(importlib.import_module(f"{area.name}.events").PUBLISHED)
    return found


def test_what_a_sale_books_publishes_is_the_example_but_for_its_ids():
    chart = chart_of(Standard.CAS)
    booked = book_sale(priced(), date(2026, 3, 3), chart, points_lines=rules.used(chart, 100, 100))
    data = orjson.loads(event_of(booked))
    data["sale_id"], data["lines"][0]["line_id"] = SALE, SALE_LINE
    assert data == MESSAGES[0]["data"]


@pytest.mark.parametrize(
    ("event_type", "fields"),
    [
        ("returns.return.settled.v1", ReturnSettled),
        ("returns.stop_sale.ordered.v1", StopSaleOrdered),
        ("returns.stop_sale.lifted.v1", StopSaleLifted),
        ("customers.permission.changed.v1", PermissionChanged),
        ("customers.credit.changed.v1", CreditChanged),
        ("customers.offer.proposed.v1", OfferProposed),
        ("customers.offer.ended.v1", OfferEnded),
    ],
)
def test_the_examples_of_others_are_understood(event_type, fields):
    producer = event_type.split(".")[0]
    messages = [
        json.loads(path.read_text()) for path in (ROOT / producer / "contracts/events").glob("*.json")
    ]
    found = [each for each in messages if each["type"] == event_type]
    assert found, f"{producer} keeps no example of {event_type}"
    for each in found:
        assert msgspec.convert(each["data"], fields)
