"""The consumer's promise: any order, any duplicates, any batching give the same tables; faults are sorted out."""

from dataclasses import replace

import pytest
import sqlalchemy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client import REGISTRY

from shared import parking
from shared.client import FeedClient
from shared.consumer import apply_batch, park_batch
from shared.errors import Conflict
from shared.identity import system_actor
from shared.sequencer import number_events
from shared.service import Service
from shared.sqlstates import is_transient
from shared.wire import Undecodable
from tests.support import ledger_oracle as oracle
from tests.support import ledger_service as ledger
from tests.support.roles import behind

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
    return replace(ledger.BOOK, handle=handle)


def test_what_is_done_meanwhile_is_begun_before_the_batch_is_committed(world):
    committed = []

    def look() -> None:
        with world.book.begin() as conn:
            committed.append(conn.exec_driver_sql("select count(*) from inbox").scalar_one())

    result = apply_batch(world.book, ledger.BOOK, events_of(world), meanwhile=look)
    assert result.fresh == EVENTS
    assert committed
    assert not any(committed)


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
        with behind(world.book) as conn:
            conn.exec_driver_sql("truncate entries, latest, inbox, source_state")
        deliveries = [events[each] for each in (*order, *repeated)]
        for start in range(0, len(deliveries), size):
            apply_batch(world.book, ledger.BOOK, deliveries[start : start + size])
        assert oracle.table_hash(world.book) == expected

    applied_somehow()


def test_what_is_below_the_pruned_number_is_known_without_its_inbox_row(world):
    events = events_of(world)
    apply_batch(world.book, ledger.BOOK, events)
    with behind(world.book) as conn:
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
    assert is_transient(raised.value)
    with world.book.begin() as conn:
        assert parking.list_parked(conn) == []
        assert conn.exec_driver_sql("select count(*) from inbox").scalar_one() == 0
    assert apply_batch(world.book, ledger.BOOK, events_of(world)).fresh == EVENTS


def test_an_event_that_the_database_cannot_store_is_parked_alone_with_its_sqlstate(world):
    """An index row that is too long: the driver calls it an operational error, and it will never pass."""

    with behind(world.book) as conn:
        conn.exec_driver_sql("create table wide (name text primary key)")
        conn.exec_driver_sql("grant insert on wide to book")

    def overlong(tx, envelopes) -> None:
        ledger.enter(tx, envelopes)
        if any(each.seq == 5 for each in envelopes):
            tx.conn.exec_driver_sql(
                "insert into wide select string_agg(md5(n::text), '') from generate_series(1, 400) n"
            )

    result = apply_batch(world.book, service_with(overlong), events_of(world))
    assert (result.fresh, result.parked) == (EVENTS - 1, 1)
    with world.book.begin() as conn:
        (row,) = parking.list_parked(conn)
    assert (row["seq"], row["reason_code"]) == (5, "handler_failed")
    assert row["reason"].startswith("ProgramLimitExceeded (SQLSTATE 54000): ")


def test_a_missing_table_parks_nothing_and_is_shown_as_waiting(world):
    def ahead_of_its_migration(tx, envelopes) -> None:
        tx.conn.exec_driver_sql("insert into table_of_tomorrow values (1)")

    with pytest.raises(sqlalchemy.exc.ProgrammingError):
        apply_batch(world.book, service_with(ahead_of_its_migration), events_of(world))
    assert waiting() == 1
    with world.book.begin() as conn:
        assert parking.list_parked(conn) == []
    assert apply_batch(world.book, ledger.BOOK, events_of(world)).fresh == EVENTS
    assert waiting() == 0


def waiting():
    return REGISTRY.get_sample_value("consume_waiting", {"service": "book"})


def test_a_passing_refusal_of_the_database_parks_nothing(world):
    tries = []

    def twice_refused(tx, envelopes) -> None:
        tries.append(len(envelopes))
        if len(tries) < 3:
            tx.conn.exec_driver_sql("do $$ begin raise exception 'io' using errcode = '58030'; end $$")
        ledger.enter(tx, envelopes)

    result = apply_batch(world.book, service_with(twice_refused), events_of(world)[:1])
    assert (tries, result.fresh, result.parked) == ([1, 1, 1], 1, 0)


def test_a_statement_prepared_before_a_migration_is_prepared_anew(world):
    """Its plan returns other columns than it did: refused on the old connection, and at work on a new one."""
    with behind(world.book) as conn:
        conn.exec_driver_sql("create table shape (a int)")
        conn.exec_driver_sql("insert into shape values (1)")
        conn.exec_driver_sql("grant select on shape to book")

    def reads(tx, envelopes) -> None:
        for _ in range(10):  # the driver prepares what it meets often
            tx.conn.exec_driver_sql("select * from shape").all()
        ledger.enter(tx, envelopes)

    events = events_of(world)
    assert apply_batch(world.book, service_with(reads), events[:10]).fresh == 10
    with behind(world.book) as migration:
        migration.exec_driver_sql("alter table shape add b text")
    result = apply_batch(world.book, service_with(reads), events[10:])
    assert (result.fresh, result.parked) == (EVENTS - 10, 0)


def test_a_stranger_and_an_unreadable_message_are_parked_once(world):
    events = events_of(world)
    service = replace(ledger.BOOK, sources=("shop",))
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
