"""F17, F19, F22, F29: consumers that come, go and crash, a tail that is lost, a poisoned link of a chain."""

import json
import random
import time

import pytest

from shared import dlq, parking, topology
from shared.amqp_source import BATCH_EVENTS
from shared.identity import system_actor
from shared.sequencer import number_events
from tests.support import ledger_oracle as oracle
from tests.support import ledger_service as ledger
from tests.support import queues
from tests.support.eventually import eventually
from tests.support.length import short_or_full

pytestmark = pytest.mark.requirement("X3")


@pytest.mark.case("F17")
def test_a_poisoned_version_in_the_middle_leaves_the_newest_and_is_applied_after_the_fix(open_world):
    """Followers are not held back: states go by version, so the newest stands whenever the poisoned one comes."""
    world = open_world("feed")
    with world.till.begin() as conn:
        tx = ledger.tx_on(conn)
        for amount in (1, 2, -3, 4, 5):
            ledger.post(tx, "chain", amount)
    world.start("relay")
    world.start("consumer")
    eventually(lambda: (_latest(world, "chain"), _parked(world)) == ((5, 5), 1), within_s=20)
    world.kill()
    with world.book.begin() as conn:
        [parked] = parking.open_ids(conn)
    assert parking.redrive(world.book, ledger.BOOK_FIXED, parked, actor=system_actor("test"))
    assert _latest(world, "chain") == (5, 5)
    oracle.agree(world.till, world.book)


def _latest(world, slip) -> tuple[int, int] | None:
    with world.book.begin() as conn:
        row = conn.exec_driver_sql(
            "select version, amount_fen from latest where slip_id = %s", (slip,)
        ).one_or_none()
    return None if row is None else tuple(row)


def _parked(world) -> int:
    with world.book.begin() as conn:
        return parking.count_open(conn)


@pytest.mark.case("F19")
def test_a_lost_tail_that_nothing_follows_is_found_by_the_producers_head(open_world):
    world = open_world("amqp")
    amqp_url = world.book_settings.amqp_url
    queue = topology.events_queue("book")
    first = queues.depth(amqp_url, queue)
    world.start("relay")
    ledger.post_many(world.till, 100)
    eventually(lambda: queues.depth(amqp_url, queue) == first + 100, within_s=30)
    assert queues.steal(amqp_url, queue, set(range(first + 90, first + 100))) == 10
    world.start("consumer")
    eventually(lambda: _entries(world) == 90, within_s=30)
    stolen = time.monotonic()
    eventually(lambda: _entries(world) == 100, within_s=30)
    assert time.monotonic() - stolen <= short_or_full(25, 20)
    oracle.agree(world.till, world.book)


def _entries(world) -> int:
    with world.book.begin() as conn:
        return conn.exec_driver_sql("select count(*) from entries").scalar_one()


@pytest.mark.case("F22")
@pytest.mark.parametrize("transport", ["amqp", "feed"])
def test_consumers_scaled_up_and_down_under_load_lose_repeat_and_disorder_nothing(open_world, transport):
    world = open_world(transport)
    world.start("relay")
    running = []
    steps = short_or_full([1, 3, 2, 4, 1], [1, 4, 2, 8, 1])
    dice = random.Random(22)
    with ledger.tills(world.till, writers=2) as posted:
        for wanted in steps:
            while len(running) < wanted:
                running.append(world.start("consumer"))
            while len(running) > wanted:
                gone = running.pop(dice.randrange(len(running)))
                gone.terminate() if dice.random() < 0.5 else gone.kill()
            entered = _entries(world)
            eventually(lambda entered=entered: _entries(world) > entered + 20, within_s=30)
    assert not posted.failed
    oracle.agree(world.till, world.book, within_s=40)
    assert _newest_versions(world.till, "slips") == _newest_versions(world.book, "latest")


def _newest_versions(database, table) -> dict[str, int]:
    with database.begin() as conn:
        rows = conn.exec_driver_sql(f"select slip_id, version from {table}")
        return {row.slip_id: row.version for row in rows}


def test_all_that_was_applied_is_acknowledged_as_soon_as_no_whole_batch_waits(open_world, rabbitmq):
    world = open_world("amqp")
    ledger.post_many(world.till, 3 * BATCH_EVENTS + 7)
    queue = topology.events_queue("book")
    world.start("relay")
    eventually(lambda: queues.depth(world.book_settings.amqp_url, queue) > 3 * BATCH_EVENTS, within_s=30)
    world.start("consumer")
    eventually(lambda: _entries(world) == 3 * BATCH_EVENTS + 7, within_s=40)
    eventually(lambda: _held(rabbitmq, world.vhost, queue) == (0, 0), within_s=5)


def _held(rabbitmq, vhost: str, queue: str) -> tuple[int, int]:
    """Messages of a queue that wait, and that a consumer has not acknowledged."""
    columns = ("name", "messages_ready", "messages_unacknowledged")
    told = rabbitmq.ctl("--silent", "list_queues", "--vhost", vhost, *columns)
    [(ready, unacknowledged)] = [
        line.split()[1:] for line in told.splitlines() if line.split()[:1] == [queue]
    ]
    return int(ready), int(unacknowledged)


@pytest.mark.case("F29")
def test_a_crash_loop_fills_the_dead_letter_queue_and_the_drainer_brings_everything_back(
    open_world, rabbitmq
):
    """Healthy messages are dead-lettered by a consumer that dies again and again with them in hand."""
    world = open_world("amqp")
    amqp_url = world.book_settings.amqp_url
    limit = short_or_full(3, 100)
    policy = {
        "pattern": f"^{topology.events_queue('book')}$",
        "definition": {"delivery-limit": limit},
        "apply-to": "queues",
    }
    rabbitmq.management("PUT", f"/api/policies/{world.vhost}/impatient", json.dumps(policy).encode())
    ledger.post_many(world.till, 60)
    with world.till.begin() as conn:
        number_events(conn)
    world.start("relay")
    eventually(lambda: queues.depth(amqp_url, topology.events_queue("book")) >= 60, within_s=30)
    for _ in range(limit + 1):  # the first delivery, and as many again as the broker allows
        assert ledger.ends(world.start("consumer", die="before commit")) == -9
    eventually(lambda: queues.depth(amqp_url, topology.dead_queue("book")) > 0, within_s=20)
    assert _entries(world) == 0
    done = dlq.drain(ledger.BOOK, world.book, amqp_url, limit=1_000, park=None)
    assert done.applied > 0
    assert queues.depth(amqp_url, topology.dead_queue("book")) == 0
    world.start("consumer")
    oracle.agree(world.till, world.book, within_s=40)
