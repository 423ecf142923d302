"""F03: a consumer killed at any moment, above all between its commit and its acknowledgement."""

import time

import pytest

from shared import messaging_metrics as metrics
from shared import topology
from tests.support import ledger_oracle as oracle
from tests.support import ledger_service as ledger
from tests.support import queues
from tests.support.eventually import eventually
from tests.support.length import short_or_full

pytestmark = pytest.mark.requirement("X3")

KILLS = short_or_full(5, 20)


@pytest.mark.case("F03")
@pytest.mark.parametrize("transport", ["amqp", "feed"])
def test_a_consumer_killed_after_commit_applies_nothing_twice(open_world, transport):
    world = open_world(transport)
    world.start("relay")
    with ledger.tills(world.till):
        for kill in range(KILLS):
            assert ledger.ends(world.start("consumer", die=f"after commit {1 + kill}")) == -9
    known = metrics.DUPLICATES.labels("book")
    before = known._value.get()
    with world.here("consumer"):
        # Else no delivery was repeated and this test proves nothing.
        eventually(lambda: known._value.get() > before)
        oracle.agree(world.till, world.book)
    if transport == "amqp":
        assert queues.depth(world.book_settings.amqp_url, topology.dead_queue("book")) == 0


@pytest.mark.case("F23")
@pytest.mark.parametrize("transport", ["amqp", "feed"])
def test_relay_and_consumer_stop_cleanly_within_ten_seconds_under_load(open_world, transport):
    world = open_world(transport)
    processes = [world.start("relay"), world.start("consumer")]
    with ledger.tills(world.till):
        eventually(lambda: _entries(world) > 100)
        started = time.monotonic()
        for process in processes:
            process.terminate()
        assert [ledger.ends(process, 10) for process in processes] == [0, 0]
        assert time.monotonic() - started < 10
    world.start("relay")
    world.start("consumer")
    oracle.agree(world.till, world.book)


def _entries(world) -> int:
    with world.book.begin() as conn:
        return conn.exec_driver_sql("select count(*) from entries").scalar_one()
