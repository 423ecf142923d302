"""The small decisions of the backbone: what is retried, what is parked and how it is called, what is fetched."""

import threading
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import pairwise

import marshmallow
import psycopg
import pytest
import sqlalchemy
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import MetaData

from shared import outbox, parking, watermark
from shared.backoff import Backoff
from shared.clock import new_id
from shared.consumer import in_sets
from shared.errors import Conflict
from shared.events import Envelope, Event
from shared.identity import system_actor
from shared.service import Service
from shared.transaction import Tx

pytestmark = pytest.mark.requirement("X3")


class TillClosed(Conflict):
    code = "till_closed"


def an_envelope(event_type: str) -> Envelope:
    return Envelope(
        source="finance",
        seq=1,
        event_id=new_id(),
        type=event_type,
        subject="S1",
        version=1,
        day=date(2026, 1, 31),
        amount_fen=0,
        occurred_at=datetime(2026, 1, 31, tzinfo=UTC),
        data={},
        traceparent="trace",
        correlation_id="correlation",
    )


def a_tx() -> Tx:
    return Tx(conn=None, actor=system_actor("test"), now=datetime(2026, 1, 31, tzinfo=UTC))


def test_reactions_get_all_their_events_of_a_batch_at_once():
    seen = []
    one, other = lambda tx, told: seen.append(("one", told)), lambda tx, told: seen.append(("other", told))
    handle = in_sets(
        {"finance.refund.paid.v1": other, "finance.sale.posted.v1": one, "finance.sale.voided.v1": one}
    )
    batch = [an_envelope(f"finance.sale.{fact}.v1") for fact in ("posted", "voided", "posted")]
    handle(a_tx(), [*batch, an_envelope("finance.period.closed.v1")])
    assert seen == [("one", batch)]


def test_what_a_reaction_tells_knows_its_cause():
    sale, tx = an_envelope("finance.sale.posted.v1"), a_tx()
    told = Event(type="customers.points.earned.v1", subject="x", version=1, day=sale.day, data={})
    row = dict(zip(outbox.COLUMNS, outbox.row_caused_by(tx, sale, told), strict=True))
    assert row["causation_id"] == str(sale.event_id)
    assert (row["traceparent"], row["correlation_id"]) == ("trace", "correlation")


@pytest.mark.parametrize(
    ("kind", "source", "code"),
    [
        ("finance.sale.posted.v1", "finance", None),
        ("finance.period.closed.v1", "finance", None),
        ("finance.sale.posted.v9", "finance", "unknown_type"),
        ("finance.sale.postd.v1", "finance", "unknown_type"),
        ("customers.points.earned.v1", "finance", "unknown_type"),
        ("customers.points.earned.v1", "customers", "unknown_source"),
    ],
)
def test_only_a_known_type_of_its_own_source_comes_to_the_handler(kind, source, code):
    service = Service(name="returns", title="Returns", metadata=MetaData(), sources=["finance"])
    refusal = parking.refusal_of(service, replace(an_envelope(kind), source=source))
    assert (refusal and refusal[0]) == code


def test_a_parked_event_carries_the_code_of_its_refusal():
    assert parking.reason_of(TillClosed("the till is closed")) == ("till_closed", "the till is closed")
    assert parking.reason_of(marshmallow.ValidationError({"lines": ["missing"]})) == (
        "invalid_payload",
        '{"lines":["missing"]}',
    )
    assert parking.reason_of(KeyError("lines")) == ("handler_failed", "KeyError: 'lines'")


def test_row_contents_that_the_database_quotes_are_not_kept():
    cause = psycopg.errors.UniqueViolation("duplicate key\nDETAIL: Key (phone)=(13800000000) already exists.")
    code, reason = parking.reason_of(sqlalchemy.exc.IntegrityError("insert", {}, cause))
    assert (code, reason) == ("handler_failed", "UniqueViolation (SQLSTATE 23505): duplicate key")


@given(st.lists(st.integers(1, 500), unique=True, max_size=60), st.integers(0, 60))
def test_bridged_ranges_cover_every_missing_number_and_join_only_near_ones(numbers, gap):
    ranges = [(number, number) for number in sorted(numbers)]
    joined = watermark.bridged(ranges, gap)
    assert all(any(first <= number <= last for first, last in joined) for number in numbers)
    assert all(after[0] - before[1] > gap for before, after in pairwise(joined))
    assert {first for first, _ in joined} | {last for _, last in joined} <= set(numbers)


def test_waiting_ends_at_once_when_the_process_stops():
    stop = threading.Event()
    stop.set()
    backoff = Backoff(stop, first_s=30, longest_s=60)
    backoff.wait()
    backoff.wait()
