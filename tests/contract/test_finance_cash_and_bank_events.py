"""Cash and bank publish exactly their example messages."""

import json
from datetime import date
from pathlib import Path

import pytest

from finance.bank_matching import events as bank
from finance.cash import events as cash

EXAMPLES = Path(__file__).parents[2] / "services/finance/contracts/events"
SESSION = "0199b1c0-0000-7000-8000-000000000101"
ACCOUNT = "0199b1c0-0000-7000-8000-000000000102"

MADE = [
    cash.session_closed(session_id=SESSION, branch_id="S001", drawer="D1", expected_fen=186_350, counted_fen=185_850, day=date(2026, 3, 10)),
    cash.variance_resolved(variance_id=SESSION, branch_id="S001", variance_fen=-500, outcome="expense", on_time=True, day=date(2026, 3, 11)),
    bank.reconciliation_completed(account_id=ACCOUNT, month="2026-03", version=1, book_fen=5_680_000, statement_fen=5_679_800, lines=212, matched_in_time=211, day=date(2026, 3, 31)),
]  # fmt: skip


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
    assert {event.type for event in MADE} == {*cash.PUBLISHED, *bank.PUBLISHED}


@pytest.mark.requirement("F4")
@pytest.mark.parametrize("counted", [0, 100, 250])
def test_the_control_amount_of_a_closed_session_is_its_absolute_variance(counted):
    event = cash.session_closed(session_id=SESSION, branch_id="S001", drawer="D1", expected_fen=100, counted_fen=counted, day=date(2026, 3, 10))  # fmt: skip
    assert event.amount_fen == abs(event.data["variance_fen"]) == abs(counted - 100)
