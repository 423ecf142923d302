"""Every example that a producer keeps becomes facts, and reporting waits for no event that nobody publishes."""

import json
from datetime import UTC, date, datetime
from pathlib import Path
from uuid import UUID

import pytest

from reporting.facts.rules.subscriptions import KNOWN
from reporting.facts.rules.subscriptions.readers import EventMalformed
from reporting.facts.store.projections import COLUMNS, rows_of
from shared.events import Envelope

SERVICES = Path(__file__).parents[2] / "services"
EXAMPLES = sorted(
    path for path in SERVICES.glob("*/contracts/events/*.json") if path.parts[-4] != "reporting"
)
"""Reporting hears everybody but itself."""


def envelope_of(path: Path) -> Envelope:
    example = json.loads(path.read_text())
    return Envelope(
        source=example["type"].split(".", 1)[0],
        seq=1,
        event_id=UUID(int=1),
        type=example["type"],
        subject=example["subject"],
        version=example["version"],
        day=date.fromisoformat(example["day"]),
        amount_fen=example["amount_fen"],
        occurred_at=datetime(2026, 1, 1, tzinfo=UTC),
        data=example["data"],
    )


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_an_example_of_a_producer_becomes_facts(path):
    rows = rows_of([envelope_of(path)])
    assert sum(map(len, rows.values())) >= 1
    for table, lines in rows.items():
        for each in lines:
            assert len(each.split("\t")) == len(COLUMNS[table])


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_the_control_amount_of_an_example_is_what_the_facts_add_up_to(path):
    envelope = envelope_of(path)
    rows = rows_of([envelope])
    amounts = 0
    for table, lines in rows.items():
        names = COLUMNS[table]
        for each in lines:
            row = dict(zip(names, each.split("\t"), strict=True))
            if row.get("fact") in {"requested", "settled"} or table in {
                "fact_sale_lines",
                "fact_refund_lines",
            }:
                amounts += int(row["net_fen"]) + int(row["tax_fen"])
            elif "amount_fen" in row:
                amounts += int(row["amount_fen"])
    assert amounts == envelope.amount_fen


def test_every_known_type_has_an_example_at_its_producer():
    assert set(KNOWN) == {json.loads(path.read_text())["type"] for path in EXAMPLES}


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_an_example_without_one_of_the_fields_read_is_malformed(path):
    """Whatever field reporting needs, its absence is refused by name, never stored as something else."""
    example = envelope_of(path)
    whole = rows_of([example])
    for name in example.data:
        data = {key: value for key, value in example.data.items() if key != name}
        thinner = Envelope(**{**{slot: getattr(example, slot) for slot in Envelope.__slots__}, "data": data})
        refusal = refusal_of(thinner)
        if refusal is not None:
            assert name in refusal
            continue
        for table, lines in rows_of([thinner]).items():
            for before, after in zip(whole[table], lines, strict=True):
                pairs = zip(before.split("\t"), after.split("\t"), strict=True)
                assert all(new in {old, r"\N"} for old, new in pairs)


def refusal_of(envelope: Envelope) -> str | None:
    try:
        rows_of([envelope])
    except EventMalformed as refusal:
        return refusal.detail
    return None
