"""A month may close only when nothing of it is missing; each obstacle is named with source, day and numbers."""

from datetime import date

import pytest
from sqlalchemy import text

from shared import parking
from shared.client import FeedClient
from shared.completeness import Obstacle, gate
from shared.consumer import apply_batch
from shared.identity import system_actor
from shared.sequencer import number_events
from tests.support import ledger_service as ledger
from tests.support.roles import behind

pytestmark = pytest.mark.requirement("X3")

JANUARY, FEBRUARY = date(2026, 1, 1), date(2026, 2, 1)
EVENTS = 9  # three each on 30 and 31 January and 1 February


@pytest.fixture
def world(open_world):
    made = open_world("feed")
    ledger.post_many(made.till, EVENTS)
    with made.till.begin() as conn:
        number_events(conn)
    return made


def feed_of(world) -> FeedClient:
    return FeedClient("till", world.book_settings.feeds["till"], world.book_settings.feed_token)


def own_totals(conn, source, first, last):
    rows = conn.execute(
        text(
            "select day, type, count(*), sum(amount_fen)::bigint from entries"
            " where source = :source and day between :first and :last group by day, type"
        ),
        {"source": source, "first": first, "last": last},
    )
    return {(row[0], row[1]): (row[2], row[3]) for row in rows}


def obstacles(world, month=JANUARY, feeds=None):
    return gate(
        world.book,
        ledger.BOOK,
        [feed_of(world)] if feeds is None else feeds,
        month,
        own_totals,
        patience_s=0,
    )


def apply_all(world, but=()):
    events = feed_of(world).events(after=0, limit=100)
    apply_batch(world.book, ledger.BOOK, [each for each in events if each.seq not in but])


def test_a_complete_month_may_close(world):
    apply_all(world)
    assert obstacles(world) == []
    assert obstacles(world, FEBRUARY) == []


def test_a_missing_event_is_named_with_its_day_and_both_totals(world):
    apply_all(world, but={1})
    assert obstacles(world) == [
        Obstacle(source="till", reason="missing_events", expected=9, found=0),
        Obstacle(
            source="till",
            reason="control_total_mismatch",
            day=date(2026, 1, 30),
            type=ledger.POSTED,
            expected={"events": 3, "amount_fen": 309},
            found={"events": 2, "amount_fen": 209},
        ),
    ]


def test_a_cent_too_much_is_named(world):
    apply_all(world)
    with behind(world.book) as conn:
        conn.exec_driver_sql("update entries set amount_fen = amount_fen + 1 where seq = 2")
    (obstacle,) = obstacles(world)
    assert (obstacle.reason, obstacle.day) == ("control_total_mismatch", date(2026, 1, 31))
    assert obstacle.found["amount_fen"] == obstacle.expected["amount_fen"] + 1
    assert obstacles(world, FEBRUARY) == []
    assert obstacle.as_json()["day"] == "2026-01-31"


def test_a_parked_event_bars_its_month_until_it_is_decided(world):
    with world.till.begin() as conn:
        ledger.post(ledger.tx_on(conn), "negative", -5)
    with world.till.begin() as conn:
        number_events(conn)
    apply_all(world)
    reasons = [(each.reason, each.day) for each in obstacles(world)]
    assert reasons == [
        ("parked_events", date(2026, 1, 30)),
        ("control_total_mismatch", date(2026, 1, 30)),
    ]
    assert obstacles(world, FEBRUARY) == []
    with world.book.begin() as conn:
        (parked_id,) = parking.open_ids(conn)
    parking.discard(world.book, parked_id, actor=system_actor("operator"), reason="a slip of the till's test")
    assert obstacles(world) == []


def test_an_event_that_waits_for_its_number_bars_its_month(world):
    apply_all(world)
    ledger.post_many(world.till, 1, prefix="late")
    assert [(each.reason, each.found) for each in obstacles(world)] == [("unsequenced", 1)]
    assert obstacles(world, FEBRUARY) == []


def test_a_producer_that_cannot_be_asked_bars_every_month(world):
    apply_all(world)
    nobody = FeedClient("till", "http://127.0.0.1:9", None)
    assert [each.reason for each in obstacles(world, feeds=[nobody])] == ["source_unreachable"]
    assert [each.reason for each in obstacles(world, feeds=[])] == ["source_unreachable"]


def test_events_on_their_way_are_waited_for(world):
    with world.here("consumer"):
        assert gate(world.book, ledger.BOOK, [feed_of(world)], JANUARY, own_totals, patience_s=10) == []
