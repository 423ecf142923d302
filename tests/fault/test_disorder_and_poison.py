"""F15, F16: whatever comes twice, out of order or damaged, the same tables and exactly the culprits parked."""

import random
import threading

import pytest

from shared import parking, topology
from shared.client import FeedClient
from shared.consumer import apply_batch
from shared.identity import system_actor
from shared.sequencer import number_events
from tests.support import ledger_oracle as oracle
from tests.support import ledger_service as ledger
from tests.support import queues
from tests.support.eventually import eventually
from tests.support.roles import behind

pytestmark = pytest.mark.requirement("X3")

EVENTS = 1_200
POISON = 20


@pytest.mark.case("F15")
@pytest.mark.parametrize("transport", ["amqp", "feed"])
def test_three_copies_in_any_order_give_the_tables_of_one_delivery_in_order(open_world, transport):
    """Competing consumers share triplicates shuffled within windows of 1,000."""
    world = open_world(transport)
    ledger.post_many(world.till, EVENTS, slips=100)
    with world.till.begin() as conn:
        assert number_events(conn, EVENTS) == EVENTS
    events = _feed(world).events(after=0, limit=EVENTS)
    apply_batch(world.book, ledger.BOOK, events)
    in_order = oracle.table_hash(world.book)
    with behind(world.book) as conn:
        conn.exec_driver_sql("truncate entries, latest, inbox, source_state")
    mixed = _shuffled(events * 3, random.Random(15))
    if transport == "amqp":
        queues.inject(
            world.book_settings.amqp_url,
            topology.events_queue("book"),
            [(queues.headers_of(each), ledger.body_of(each)) for each in mixed],
        )
        world.start("consumer")
        world.start("consumer")
    else:
        _apply_side_by_side(world, mixed)
    eventually(lambda: oracle.table_hash(world.book) == in_order)
    if transport == "amqp":
        eventually(lambda: queues.depth(world.book_settings.amqp_url, topology.events_queue("book")) == 0)
    oracle.agree(world.till, world.book)
    assert oracle.table_hash(world.book) == in_order


def _shuffled(events, dice):
    mixed = []
    for start in range(0, len(events), 1_000):
        window = events[start : start + 1_000]
        dice.shuffle(window)
        mixed += window
    return mixed


def _apply_side_by_side(world, mixed):
    def work(number: int) -> None:
        for start in range(number * 150, len(mixed), 3 * 150):
            apply_batch(world.book, ledger.BOOK, mixed[start : start + 150])

    threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.mark.case("F16")
@pytest.mark.parametrize("transport", ["amqp", "feed"])
def test_poison_is_parked_and_holds_nobody_back_and_is_applied_after_the_fix(open_world, transport):
    """Negative amounts and unknown versions; with a broker also bodies that were damaged on the way."""
    world = open_world(transport)
    damaged = 0
    ledger.post_many(world.till, EVENTS // 2)
    with world.till.begin() as conn:
        tx = ledger.tx_on(conn)
        for number in range(POISON):
            ledger.post(tx, f"negative{number}", -5)
            ledger.post(tx, f"newer{number}", 7, event_type="till.slip.posted.v2")
    ledger.post_many(world.till, EVENTS // 2, prefix="after")
    if transport == "amqp":
        # Of numbers that were given, in a log whose epoch is known: else nobody can say whose they are.
        with world.till.begin() as conn:
            assert number_events(conn, 2 * EVENTS) == EVENTS + 2 * POISON
        damaged = POISON
        world.start("consumer")
        eventually(lambda: _knows_the_epoch(world), every_s=0.01)
        queues.inject(
            world.book_settings.amqp_url,
            topology.events_queue("book"),
            [_damaged(seq) for seq in range(1, damaged + 1)],
        )
        eventually(lambda: _parked(world) == damaged)
    else:
        world.start("consumer")
    world.start("relay")
    oracle.agree(world.till, world.book, parked=2 * POISON + damaged)
    feed = _feed(world)
    with world.book.begin() as conn:
        ids = parking.open_ids(conn)
    assert not any(
        parking.redrive(world.book, ledger.BOOK, each, actor=system_actor("test"), fetch=_fetch(feed))
        for each in ids[-2 * POISON :]
    ), "before the fix each is refused again"
    for each in ids:
        assert parking.redrive(
            world.book, ledger.BOOK_FIXED, each, actor=system_actor("test"), fetch=_fetch(feed)
        )
    oracle.agree(world.till, world.book)
    assert oracle.table_hash(world.book) == _hash_of_a_fresh_book(world, feed)


def _damaged(seq: int) -> tuple[dict[str, str], bytes]:
    return (
        {
            "cloudEvents_source": "/apotheca/till",
            "cloudEvents_sequence": f"{seq:020d}",
            "cloudEvents_type": ledger.POSTED,
        },
        b'{"slip_id": "\x00 broken',
    )


def _hash_of_a_fresh_book(world, feed: FeedClient) -> str:
    world.kill()
    with behind(world.book) as conn:
        conn.exec_driver_sql("truncate entries, latest, inbox, source_state")
    apply_batch(world.book, ledger.BOOK_FIXED, feed.events(after=0, limit=5_000))
    return oracle.table_hash(world.book)


def _feed(world) -> FeedClient:
    return FeedClient("till", world.book_settings.feeds["till"], world.book_settings.feed_token)


def _fetch(feed: FeedClient):
    return lambda source, seq: feed.one(seq)


def _knows_the_epoch(world) -> bool:
    with world.book.begin() as conn:
        return conn.exec_driver_sql("select count(epoch) from source_state").scalar_one() == 1


def _parked(world) -> int:
    with world.book.begin() as conn:
        return parking.count_open(conn)
