"""F01, F02, F21, F26: what a relay may not lose, whenever it is killed or paused and however transactions commit."""

import os
import random
import signal
import time

import pytest
from sqlalchemy import text

from shared import topology
from shared.amqp_publish import WINDOW
from tests.support import ledger_oracle as oracle
from tests.support import ledger_service as ledger
from tests.support import queues
from tests.support.eventually import eventually
from tests.support.length import short_or_full

pytestmark = pytest.mark.requirement("X3")

KILLS = short_or_full(5, 50)


@pytest.mark.case("F01")
def test_a_relay_killed_at_any_moment_repeats_at_most_a_window_and_loses_nothing(open_world):
    world = open_world("amqp")
    queue = topology.events_queue("book")
    canaries = eventually(lambda: queues.depth(world.book_settings.amqp_url, queue))
    dice = random.Random(1)
    kills = short_or_full(6, 20)
    with ledger.tills(world.till, writers=2) as posted:
        for _ in range(kills):
            relay = world.start("relay")
            lives_s, born = dice.uniform(0.2, 3.5), time.monotonic()
            eventually(lambda lives_s=lives_s, born=born: time.monotonic() - born > lives_s, every_s=0.01)
            relay.kill()
            relay.join()
    assert not posted.failed
    world.start("relay")
    eventually(lambda: _confirmed(world) == _last(world) > 0, within_s=20)
    published = queues.depth(world.book_settings.amqp_url, queue) - canaries
    assert _last(world) <= published <= _last(world) + kills * WINDOW
    world.start("consumer")
    oracle.agree(world.till, world.book, within_s=30)


@pytest.mark.case("F21")
def test_a_standby_takes_over_from_a_paused_relay_that_repeats_at_most_a_window_when_it_wakes(open_world):
    world = open_world("amqp")
    queue = topology.events_queue("book")
    canaries = eventually(lambda: queues.depth(world.book_settings.amqp_url, queue))
    leader = world.start("relay")
    ledger.post_many(world.till, 100, prefix="first")
    eventually(lambda: _confirmed(world) == 100, within_s=30)
    world.start("relay")
    os.kill(leader.pid, signal.SIGSTOP)
    with world.till.begin() as conn:  # as the server does when the paused host does not answer its keepalives
        ended = conn.execute(
            text(
                "select count(pg_terminate_backend(l.pid)) from pg_locks l join pg_database d on d.oid = l.database"
                " where l.locktype = 'advisory' and l.granted and d.datname = current_database()"
            )
        ).scalar_one()
    lost = time.monotonic()
    assert ended >= 1
    ledger.post_many(world.till, 100, prefix="second")
    eventually(lambda: _confirmed(world) == 200, within_s=20)
    assert time.monotonic() - lost <= short_or_full(12, 8), (
        "takeover within 5 s, and the gate of a new connection"
    )
    paused_s = short_or_full(1, 30)
    eventually(lambda: time.monotonic() - lost > paused_s, within_s=paused_s + 1)
    os.kill(leader.pid, signal.SIGCONT)
    ledger.post_many(world.till, 100, prefix="third")
    eventually(lambda: _confirmed(world) == 300, within_s=20)
    published = queues.depth(world.book_settings.amqp_url, queue) - canaries
    assert 300 <= published <= 300 + WINDOW
    world.start("consumer")
    oracle.agree(world.till, world.book, within_s=30)


def _last(world) -> int:
    with world.till.begin() as conn:
        return conn.execute(text("select coalesce(max(last_seq), 0) from outbox_head")).scalar_one()


@pytest.mark.case("F02")
def test_a_relay_killed_between_confirm_and_cursor_repeats_at_most_one_window_each_time(open_world):
    """The relay kills itself when the broker has confirmed and the cursor is about to be saved."""
    world = open_world("amqp")
    queue = topology.events_queue("book")
    canaries = eventually(lambda: queues.depth(world.book_settings.amqp_url, queue))
    ledger.post_many(world.till, 1_200)
    for _ in range(KILLS):
        assert ledger.ends(world.start("relay", die="between confirm and cursor")) == -9
    with world.till.begin() as conn:
        assert conn.execute(text("select count(*) from relay_cursor")).scalar_one() == 0
    world.start("relay")
    eventually(lambda: _confirmed(world) == 1_200)
    published = queues.depth(world.book_settings.amqp_url, queue) - canaries
    assert 1_200 < published <= 1_200 + KILLS * WINDOW
    world.start("consumer")
    oracle.agree(world.till, world.book)


def _confirmed(world) -> int:
    with world.till.begin() as conn:
        return conn.execute(text("select confirmed_seq from relay_cursor")).scalar() or 0


@pytest.mark.case("F26")
@pytest.mark.parametrize("transport", ["amqp", "feed"])
def test_late_and_undone_transactions_lose_nothing_where_a_naive_cursor_does(open_world, transport):
    """16 writers, 30 % of the transactions roll back, commits up to 50 ms late; beside it reads an id cursor."""
    world = open_world(transport)
    world.start("relay")
    world.start("consumer")
    naive: set[int] = set()
    with ledger.tills(world.till, writers=16, wait_s=0.05, share_undone=0.3) as posted:

        def watch_naively() -> bool:
            with world.till.begin() as conn:
                rows = conn.execute(
                    text("select id from outbox where id > :last order by id"),
                    {"last": max(naive, default=0)},
                )
                naive.update(row.id for row in rows)
            return posted.done > 400

        eventually(watch_naively, within_s=20, every_s=0.01)
    assert not posted.failed
    assert posted.undone > 50
    oracle.agree(world.till, world.book)
    with world.till.begin() as conn:
        committed = set(
            conn.execute(text("select id from outbox where id <= :last"), {"last": max(naive)}).scalars()
        )
    assert committed - naive, "the naive cursor missed nothing, so this test proves nothing"
