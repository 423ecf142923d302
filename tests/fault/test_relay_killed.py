"""F02, F26: what a relay may not lose, whenever it is killed and however transactions commit."""

import os

import pytest
from sqlalchemy import text

from shared import topology
from shared.amqp_publish import WINDOW
from tests.support import ledger_oracle as oracle
from tests.support import ledger_service as ledger
from tests.support import queues
from tests.support.eventually import eventually

pytestmark = pytest.mark.requirement("X3")

KILLS = int(os.environ.get("APOTHECA_TEST_KILLS", "5"))
"""Five on every commit; APOTHECA_TEST_KILLS=50 is the long run."""


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
