"""The watermark says exactly what is missing, repair fetches exactly that, pruning forgets only what is known."""

import pytest

from shared import watermark
from shared.client import FeedClient, FeedUnavailable
from shared.consumer import apply_batch
from shared.keeper import Keeper, Pace
from shared.sequencer import number_events
from tests.support import ledger_oracle as oracle
from tests.support import ledger_service as ledger
from tests.support.eventually import eventually

pytestmark = pytest.mark.requirement("X3")

EVENTS = 120


@pytest.fixture
def world(open_world):
    made = open_world("feed")
    ledger.post_many(made.till, EVENTS)
    with made.till.begin() as conn:
        number_events(conn)
    return made


def feed_of(world) -> FeedClient:
    return FeedClient("till", world.book_settings.feeds["till"], world.book_settings.feed_token)


def apply_only(world, wanted) -> None:
    events = feed_of(world).events(after=0, limit=EVENTS)
    apply_batch(world.book, ledger.BOOK, [each for each in events if each.seq in wanted])


def advanced(world) -> watermark.SourceState:
    with world.book.begin() as conn:
        watermark.advance(conn, "till")
        return watermark.state_of(conn, "till")


def test_the_watermark_stops_at_the_first_hole_and_knows_every_hole(world):
    apply_only(world, {*range(1, 11), 13, 14, *range(20, 101)})
    state = advanced(world)
    assert (state.contiguous_seq, state.max_seq) == (10, 100)
    with world.book.begin() as conn:
        assert watermark.missing_ranges(conn, "till", through=100) == [(11, 12), (15, 19)]
        assert watermark.missing_ranges(conn, "till", through=EVENTS) == [(11, 12), (15, 19), (101, 120)]
        assert watermark.missing_ranges(conn, "till", through=16) == [(11, 12), (15, 16)]


def test_nothing_here_means_everything_is_missing(world):
    assert advanced(world).contiguous_seq == 0
    with world.book.begin() as conn:
        assert watermark.missing_ranges(conn, "till", through=EVENTS) == [(1, EVENTS)]


def test_repair_fetches_what_is_missing_and_nothing_else(world):
    apply_only(world, {*range(1, 11), *range(71, 121)})
    assert watermark.repair(world.book, ledger.BOOK, feed_of(world), through=EVENTS) == 60
    assert watermark.repair(world.book, ledger.BOOK, feed_of(world), through=EVENTS) == 0
    oracle.agree(world.till, world.book)


def test_the_keeper_repairs_holes_and_a_lost_tail_by_itself(world):
    apply_only(world, {1, 2, 3, 7, 8, 50})
    keeper = Keeper(world.book, ledger.BOOK, [feed_of(world)], Pace(gap_s=0, tail_s=0, head_every_s=0))

    def kept() -> bool:
        keeper.turn()
        return not oracle.faults(world.till, world.book)

    eventually(kept)


def test_the_keeper_survives_a_producer_that_is_away(world):
    nobody = FeedClient("till", "http://127.0.0.1:9", None)
    with pytest.raises(FeedUnavailable):
        nobody.head()
    keeper = Keeper(world.book, ledger.BOOK, [nobody], Pace(gap_s=0, tail_s=0, head_every_s=0))
    apply_only(world, {1, 2})
    keeper.turn()
    assert advanced(world).contiguous_seq == 2


def test_pruning_first_raises_the_line_and_deletes_only_a_margin_later(world):
    apply_only(world, range(1, 101))
    advanced(world)
    patient = Keeper(world.book, ledger.BOOK, [], Pace(margin_s=600))
    patient.turn()
    patient.turn()
    assert inbox_rows(world) == 100
    assert advanced(world).pruned_seq == 100
    hasty = Keeper(world.book, ledger.BOOK, [], Pace(margin_s=0))
    hasty.turn()
    assert inbox_rows(world) == 100
    hasty.turn()
    assert inbox_rows(world) == 0
    apply_only(world, range(1, 121))
    state = advanced(world)
    assert (state.contiguous_seq, state.max_seq) == (120, 120)
    oracle.agree(world.till, world.book)


def inbox_rows(world) -> int:
    with world.book.begin() as conn:
        return conn.exec_driver_sql("select count(*) from inbox").scalar_one()


def test_a_head_with_events_that_wait_for_their_number_tells_only_of_what_came_before_them(world):
    apply_only(world, range(1, EVENTS + 1))
    advanced(world)

    def level(types=None):
        assert watermark.beat(world.book, "book", feed_of(world))
        with world.book.begin() as conn:
            return watermark.level_since(conn, "till", types=types)

    ledger.post_many(world.till, 1, prefix="waits")
    recorded = "select recorded_at from outbox where seq is null order by id limit 1"
    with world.till.begin() as conn:
        waits_since = conn.exec_driver_sql(recorded).scalar_one()
    ledger.post_many(world.till, 1, prefix="waits-too")
    first = level()
    assert first <= waits_since
    assert level() <= waits_since, "however often is asked"
    with world.till.begin() as conn:
        number_events(conn)
    assert level() is None, "what was numbered is not here yet"
    apply_batch(world.book, ledger.BOOK, feed_of(world).events(after=EVENTS, limit=2))
    advanced(world)
    assert level() > waits_since
