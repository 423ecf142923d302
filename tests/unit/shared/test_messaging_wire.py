"""An event survives both wires unchanged, and what is no event is named, never raised."""

from datetime import UTC, date, datetime
from uuid import UUID

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import wire
from shared.clock import new_id
from shared.events import Envelope
from shared.wire import Undecodable

pytestmark = pytest.mark.requirement("X3")

HEADERS = [
    f"{wire.PREFIX}{name}"
    for name in (
        "source",
        "sequence",
        "id",
        "type",
        "day",
        "time",
        "subject",
        "aggregateversion",
        "amountfen",
    )
]
names = st.text(alphabet="abcdefghijklmnopqrstuvwxyz_", min_size=1, max_size=12)
texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
numbers = st.integers(min_value=1, max_value=2**63 - 1)
envelopes = st.builds(
    Envelope,
    source=st.just("finance"),
    seq=numbers,
    event_id=st.builds(new_id),
    type=st.builds("{}.{}.{}.v{}".format, names, names, names, st.integers(1, 99)),
    subject=texts,
    version=st.integers(1, 2**31 - 1),
    day=st.dates(),
    amount_fen=st.integers(-(2**62), 2**62),
    occurred_at=st.datetimes(timezones=st.just(UTC)),
    data=st.dictionaries(texts, st.integers(-(2**53), 2**53) | texts | st.none(), max_size=4),
    traceparent=st.none() | st.just(f"00-{'a' * 32}-{'b' * 16}-01"),
    correlation_id=st.none() | texts,
    causation_id=st.none() | texts,
)


def headers_of(envelope: Envelope) -> dict[str, str]:
    return wire.amqp_headers(
        envelope.source,
        envelope.seq,
        str(envelope.event_id),
        envelope.type,
        envelope.subject,
        envelope.version,
        envelope.day.isoformat(),
        envelope.amount_fen,
        envelope.occurred_at.isoformat(),
        envelope.traceparent,
        envelope.correlation_id,
        envelope.causation_id,
        envelope.epoch,
    )


@given(envelopes)
def test_an_event_is_the_same_after_the_broker(envelope):
    assert wire.from_amqp(headers_of(envelope), orjson.dumps(envelope.data)) == envelope


@given(envelopes)
def test_an_event_is_the_same_after_the_feed(envelope):
    line = orjson.dumps(wire.to_json(envelope))
    assert wire.from_line(line, source="finance", expected_seq=envelope.seq, epoch=1) == envelope


@given(st.dictionaries(st.sampled_from(HEADERS), st.none() | st.integers() | texts), st.binary(max_size=50))
def test_no_message_whatever_raises(headers, body):
    wire.from_amqp(headers, body)


@given(st.binary(max_size=100))
def test_no_line_whatever_raises(line):
    received = wire.from_line(line, source="finance", expected_seq=7, epoch=1)
    assert received.seq == 7
    assert received.source == "finance"


AN_EVENT = Envelope(
    source="finance",
    seq=42,
    event_id=UUID("01890a5d-ac96-774b-bcce-b302099a8057"),
    type="finance.sale.posted.v1",
    subject="S1",
    version=1,
    day=date(2026, 1, 31),
    amount_fen=1250,
    occurred_at=datetime(2026, 1, 31, 15, 59, 59, tzinfo=UTC),
    data={"sale_id": "S1"},
)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("cloudEvents_sequence", "0"),
        ("cloudEvents_sequence", "twelve"),
        ("cloudEvents_source", "https://elsewhere/finance"),
        ("cloudEvents_type", "finance.sale"),
        ("cloudEvents_day", "31.01.2026"),
        ("cloudEvents_time", "2026-01-31T15:59:59"),
        ("cloudEvents_amountfen", "12.50"),
    ],
)
def test_a_faulty_header_makes_the_message_undecodable_and_keeps_what_can_be_read(name, value):
    received = wire.from_amqp({**headers_of(AN_EVENT), name: value}, b"{}")
    assert isinstance(received, Undecodable)
    assert received.reason
    assert received.seq == (None if name == "cloudEvents_sequence" else 42)
    assert received.source == (None if name == "cloudEvents_source" else "finance")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"12", b'"text"', b"\xff\xfe"])
def test_a_body_that_is_no_object_is_undecodable(body):
    received = wire.from_amqp(headers_of(AN_EVENT), body)
    assert isinstance(received, Undecodable)
    assert received.event_id == AN_EVENT.event_id


def test_a_message_without_headers_is_undecodable():
    received = wire.from_amqp(None, b"{}")
    assert isinstance(received, Undecodable)
    assert received.reason == "missing cloudEvents_source"
