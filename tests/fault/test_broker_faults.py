"""F04, F07, F11, F18: the broker dies, runs short of memory, forgets a binding, loses messages; the ledger notices none of it for long."""

import random
import time

import pytest

from shared import messaging_metrics as metrics
from shared import topology
from tests.support import ledger_oracle as oracle
from tests.support import ledger_service as ledger
from tests.support import queues
from tests.support.eventually import eventually

pytestmark = pytest.mark.requirement("X3")


@pytest.mark.case("F04")
def test_a_killed_broker_costs_no_write_and_no_event(open_world, rabbitmq):
    """SIGKILL while events flow; writes go on, publishing resumes within 15 s of the port opening."""
    world = open_world("amqp")
    world.start("relay")
    world.start("consumer")
    with ledger.tills(world.till, writers=2) as posted:
        eventually(lambda: _entries(world) > 200)
        rabbitmq.kill()
        before = posted.done
        eventually(lambda: posted.done > before + 100)
        rabbitmq.start()
        opened = time.monotonic()
        held = _entries(world)
        eventually(lambda: _entries(world) > held, within_s=15)
        assert time.monotonic() - opened <= 15
    assert not posted.failed
    oracle.agree(world.till, world.book, within_s=15)


@pytest.mark.case("F07")
def test_a_broker_short_of_memory_makes_the_relay_wait_and_nothing_else(open_world, rabbitmq):
    """The alarm is raised twice with a reconnection between: each connection must hear of it."""
    world = open_world("amqp")
    reconnects = metrics.RECONNECTS.labels("till", "relay")
    before = reconnects._value.get()
    with world.here("relay"):
        _write_under_alarm(world, rabbitmq, confirmed=0)
        assert reconnects._value.get() == before
        rabbitmq.ctl("close_all_connections", "--vhost", world.vhost, "the next connection")
        eventually(lambda: reconnects._value.get() > before, within_s=20)
        _write_under_alarm(world, rabbitmq, confirmed=10)
    world.start("consumer")
    oracle.agree(world.till, world.book)


def _write_under_alarm(world, rabbitmq, *, confirmed: int) -> None:
    blocked = metrics.BLOCKED.labels("till")
    rabbitmq.ctl("set_vm_memory_high_watermark", "absolute", "1MB")
    ledger.post_many(world.till, 10, prefix=f"alarm{confirmed}-")
    eventually(lambda: blocked._value.get() == 1, within_s=20)
    rabbitmq.ctl("set_vm_memory_high_watermark", "0.4")
    eventually(lambda: _confirmed(world) == confirmed + 10, within_s=20)
    assert blocked._value.get() == 0


@pytest.mark.case("F11")
def test_a_missing_binding_is_named_and_what_went_astray_is_fetched(open_world, rabbitmq):
    world = open_world("amqp")
    amqp_url = world.book_settings.amqp_url
    world.start("relay")
    world.start("consumer")
    ledger.post_many(world.till, 200)
    eventually(lambda: _entries(world) == 200)
    queue = topology.events_queue("book")
    rabbitmq.management("DELETE", f"/api/bindings/{world.vhost}/e/{topology.EVENTS.name}/q/{queue}/till.%23")
    with topology.connect(amqp_url) as connection:
        assert topology.verify(connection, "book", ["till"], rabbitmq.management_url) == [
            f"queue {queue} lacks the binding till.#"
        ]
    ledger.post_many(world.till, 100, prefix="astray")
    eventually(lambda: queues.depth(amqp_url, topology.UNROUTED_QUEUE.name) > 0, within_s=3)
    queues.declare(ledger.BOOK, amqp_url)
    ledger.post_many(world.till, 100, prefix="after")
    oracle.agree(world.till, world.book, within_s=15)


@pytest.mark.case("F18")
def test_messages_stolen_from_the_queue_are_missed_and_fetched_from_the_producer(open_world):
    world = open_world("amqp")
    amqp_url = world.book_settings.amqp_url
    queue = topology.events_queue("book")
    first = queues.depth(amqp_url, queue)
    world.start("relay")
    ledger.post_many(world.till, 1_000)
    eventually(lambda: queues.depth(amqp_url, queue) == first + 1_000)
    chosen = {first + position for position in random.Random(18).sample(range(900), 100)}
    assert queues.steal(amqp_url, queue, chosen) == 100
    repaired = metrics.GAP_REPAIRED.labels("book", "till")
    before = repaired._value.get()
    started = time.monotonic()
    with world.here("consumer"):
        eventually(lambda: metrics.GAP_OPEN.labels("book", "till")._value.get() > 0, within_s=5)
        oracle.agree(world.till, world.book, within_s=10)
    assert time.monotonic() - started < 15
    assert repaired._value.get() - before == 100


def _confirmed(world) -> int:
    with world.till.begin() as conn:
        return conn.exec_driver_sql("select confirmed_seq from relay_cursor").scalar() or 0


def _entries(world) -> int:
    with world.book.begin() as conn:
        return conn.exec_driver_sql("select count(*) from entries").scalar_one()
