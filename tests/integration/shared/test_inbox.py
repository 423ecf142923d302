"""The consumer's promise: any order, any duplicates, any batching give the same tables; faults are sorted out."""

import pytest
import sqlalchemy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared import parking
from shared.client import FeedClient
from shared.consumer import apply_batch, park_batch
from shared.errors import Conflict
from shared.identity import system_actor
from shared.sequencer import number_events
from shared.service import Service
from shared.wire import Undecodable
from tests.support import ledger_oracle as oracle
from tests.support import ledger_service as ledger

pytestmark = pytest.mark.requirement("X3")

EVENTS = 30
OPERATOR = system_actor("operator")


@pytest.fixture
def world(open_world):
    made = open_world("feed")
    ledger.post_many(made.till, EVENTS, slips=7)
    with made.till.begin() as conn:
        number_events(conn)
    return made


def feed_of(world) -> FeedClient:
    return FeedClient("till", world.book_settings.feeds["till"], world.book_settings.feed_token)


def events_of(world):
    return feed_of(world).events(after=0, limit=1_000)


def service_with(handle) -> Service:
    return Service(name="book", title="Book", metadata=ledger.book_metadata, sources=("till",), handle=handle)


def test_any_order_with_any_duplicates_in_any_batches_gives_the_same_tables(world):
    events = events_of(world)
    apply_batch(world.book, ledger.BOOK, events)
    expected = oracle.table_hash(world.book)

    @given(
        order=st.permutations(range(EVENTS)),
        repeated=st.lists(st.integers(0, EVENTS - 1), max_size=20),
        size=st.integers(1, EVENTS),
    )
    @settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
    def applied_somehow(order, repeated, size) -> None:
        with world.book.begin() as conn:
            conn.exec_driver_sql("truncate entries, latest, inbox, source_state")
        deliveries = [events[each] for each in (*order, *repeated)]
        for start in range(0, len(deliveries), size):
            apply_batch(world.book, ledger.BOOK, deliveries[start : start + size])
        assert oracle.table_hash(world.book) == expected

    applied_somehow()


def test_what_is_below_the_pruned_number_is_known_without_its_inbox_row(world):
    events = events_of(world)
    apply_batch(world.book, ledger.BOOK, events)
    with world.book.begin() as conn:
        conn.exec_driver_sql("delete from inbox")
        conn.exec_driver_sql("update source_state set contiguous_seq = 30, pruned_seq = 30")
    assert apply_batch(world.book, ledger.BOOK, events).duplicates == EVENTS


def test_one_refused_event_is_parked_and_the_others_are_applied(world):
    def refuse_the_fifth(tx, envelopes) -> None:
        if any(each.seq == 5 for each in envelopes):
            raise TheFifth("not the fifth")
        ledger.enter(tx, envelopes)

    result = apply_batch(world.book, service_with(refuse_the_fifth), events_of(world))
    assert (result.fresh, result.parked, result.duplicates) == (EVENTS - 1, 1, 0)
    with world.book.begin() as conn:
        (row,) = parking.list_parked(conn)
        shown = parking.show_parked(conn, row["id"])
    assert (row["source"], row["seq"], row["reason_code"]) == ("till", 5, "the_fifth")
    assert shown["payload"]["subject"]
    assert apply_batch(world.book, service_with(refuse_the_fifth), events_of(world)).parked == 0


class TheFifth(Conflict):
    code = "the_fifth"


def test_a_fault_of_the_database_is_raised_and_leaves_nothing_behind(world):
    def die(tx, envelopes) -> None:
        ledger.enter(tx, envelopes)
        tx.conn.exec_driver_sql("select pg_terminate_backend(pg_backend_pid())")

    with pytest.raises(sqlalchemy.exc.DBAPIError) as raised:
        apply_batch(world.book, service_with(die), events_of(world))
    assert parking.is_transient(raised.value)
    with world.book.begin() as conn:
        assert parking.list_parked(conn) == []
        assert conn.exec_driver_sql("select count(*) from inbox").scalar_one() == 0
    assert apply_batch(world.book, ledger.BOOK, events_of(world)).fresh == EVENTS


def test_a_stranger_and_an_unreadable_message_are_parked_once(world):
    events = events_of(world)
    service = Service(
        name="book", title="Book", metadata=ledger.book_metadata, sources=("shop",), handle=ledger.enter
    )
    nameless = Undecodable(reason="no JSON", payload={"body": "\x00{"})
    assert apply_batch(world.book, service, [events[0], nameless]).parked == 2
    assert apply_batch(world.book, service, [events[0], nameless]).fresh == 0
    with world.book.begin() as conn:
        assert sorted(row["reason_code"] for row in parking.list_parked(conn)) == [
            "undecodable",
            "unknown_source",
        ]


def test_a_message_damaged_on_the_way_is_redriven_from_the_producer(world):
    damaged = Undecodable(reason="no JSON", payload={"body": "{"}, source="till", seq=3)
    events = events_of(world)
    apply_batch(world.book, ledger.BOOK, [damaged, *events])
    with world.book.begin() as conn:
        (parked_id,) = parking.open_ids(conn)
    with pytest.raises(parking.ParkedEventUnreadable):
        parking.redrive(world.book, ledger.BOOK, parked_id, actor=OPERATOR)
    feed = feed_of(world)
    assert parking.redrive(
        world.book, ledger.BOOK, parked_id, actor=OPERATOR, fetch=lambda source, seq: feed.one(seq)
    )
    oracle.agree(world.till, world.book)
    with pytest.raises(parking.ParkedEventDecided):
        parking.redrive(world.book, ledger.BOOK, parked_id, actor=OPERATOR)


def test_discarding_needs_a_reason_and_leaves_a_record(world):
    park_batch(world.book, ledger.BOOK, events_of(world)[:1], reason="it kills the process")
    with world.book.begin() as conn:
        (parked_id,) = parking.open_ids(conn)
    with pytest.raises(parking.DiscardNeedsReason):
        parking.discard(world.book, parked_id, actor=OPERATOR, reason="  ")
    parking.discard(world.book, parked_id, actor=OPERATOR, reason="test entry of the supplier")
    with world.book.begin() as conn:
        (row,) = parking.list_parked(conn, state="discarded")
    assert row["decided_by"] == OPERATOR.id
    assert row["decided_reason"] == "test entry of the supplier"
    with pytest.raises(parking.ParkedEventDecided):
        parking.discard(world.book, parked_id, actor=OPERATOR, reason="again")
