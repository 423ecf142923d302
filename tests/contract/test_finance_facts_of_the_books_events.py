"""Open items, budgets, purchases, cost runs and sales targets are told as their examples show."""

import json
from datetime import date
from pathlib import Path
from uuid import UUID

import pytest

from finance.budgets import events as of_budgets
from finance.budgets.events import budget_standing_changed
from finance.budgets.model import Told
from finance.costs import events as of_costs
from finance.costs.events import cost_run_posted, goods_received
from finance.costs.model import Bought, CostRun, Purchase, Reference
from finance.open_items import events as of_open_items
from finance.open_items.events import receivable_opened
from finance.open_items.rules import Opened
from finance.sales_targets import events as of_sales_targets
from finance.sales_targets.events import sales_target_set
from finance.sales_targets.model import Target

EXAMPLES = Path(__file__).parents[2] / "services/finance/contracts/events"
CUSTOMER = UUID("0199b1c0-0000-7000-8000-000000000001")
SALE = UUID("0199b1c0-0000-7000-8000-000000000101")
ITEM = UUID("0199b1c0-0000-7000-8000-000000000201")
THIS = UUID("0199b1c0-0000-7000-8000-000000000205")
DAY = date(2026, 4, 9)

MADE = [
    receivable_opened(Opened(item_id=ITEM, customer_id=CUSTOMER, branch_id="S001", kind="sale", source_id=SALE, booked_on=date(2026, 3, 3), due_on=date(2026, 4, 2), amount_fen=3900, version=1)),
    budget_standing_changed(Told(budget_id=THIS, version=3, branch_id="S001", department="marketing", category="promotion", campaign="", first_day=date(2026, 4, 1), last_day=date(2026, 6, 30), amount_fen=500_000, reserved_fen=20_000, actual_fen=130_000), DAY),
    goods_received(THIS, Purchase(branch_id="S001", supplier_id="SUP-1", invoice_no="24312000000012345678", received_on=DAY, lines=[Bought(product_id="1082185", lot="B2401", expiry=None, quantity=100, unit_price=950, tax_bp=1300)]), [Reference("standard", 1000)], DAY),
    cost_run_posted(CostRun(run_id=THIS, branch_id="S001", month=date(2026, 4, 1), no=1, from_day=date(2026, 4, 1), until_day=date(2026, 4, 30), lots=12, adjustment_fen=-4200, samples_fen=0)),
    sales_target_set(THIS, Target(branch_id="S001", person="staff-17", channel="", month=date(2026, 5, 1), net_fen=8_000_000, strategy="", version=2), date(2026, 4, 28)),
]  # fmt: skip


@pytest.mark.parametrize("event", MADE, ids=lambda event: event.type)
def test_each_published_event_is_its_example(event):
    told = {
        "type": event.type,
        "subject": event.subject,
        "version": event.version,
        "day": event.day.isoformat(),
        "amount_fen": event.amount_fen,
        "data": event.data,
    }
    assert json.loads((EXAMPLES / f"{event.type}.json").read_text()) == told


def test_every_published_type_has_an_example():
    areas = (of_budgets, of_costs, of_open_items, of_sales_targets)
    assert {event.type for event in MADE} == {kind for area in areas for kind in area.PUBLISHED}
