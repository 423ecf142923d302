"""A pickup is confirmed by the end of the next business day, or the breach is recorded once. Source: R6"""

from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from returns import approvals
from returns.pickups import commands, jobs
from shared.identity import Actor, system_actor
from shared.transaction import Tx
from tests.support.returns_builders import Counter

FRIDAY = datetime(2026, 3, 6, 3, tzinfo=UTC)
END_OF_MONDAY = datetime(2026, 3, 9, 16, tzinfo=UTC)


def run(counter: Counter, moment, work, person=None, role=None):
    actor = Actor(person, frozenset({role}), frozenset({"*"})) if person else system_actor("returns")
    with counter.database.begin() as conn:
        return work(Tx(conn=conn, actor=actor, now=moment))


def ordered(counter):
    from uuid import UUID

    notice_id = UUID(counter.request(counter.sell()).json["return_id"])
    for person, role in (("wang", "business_head"), ("zhao", "qa")):
        run(
            counter,
            FRIDAY,
            lambda tx: approvals.decide_return(tx, notice_id, approved=True, reason=None),
            person,
            role,
        )
    return notice_id


def last_event(counter, notice_id):
    with counter.database.begin() as conn:
        return conn.execute(
            text("select type, data from outbox where subject = :id order by version desc limit 1"),
            {"id": str(notice_id)},
        ).one()


@pytest.mark.requirement("R6")
def test_a_friday_pickup_is_due_at_the_end_of_monday(counter):
    notice = counter.get(f"/{ordered(counter)}").json
    assert datetime.fromisoformat(notice["pickup"]["due_at"]) == END_OF_MONDAY


@pytest.mark.requirement("R6")
def test_a_late_pickup_is_breached_once_and_then_confirmed_late(counter):
    notice_id = ordered(counter)
    assert run(counter, END_OF_MONDAY, jobs.mark_breached_pickups) == 0
    after = datetime(2026, 3, 9, 16, 0, 1, tzinfo=UTC)
    assert run(counter, after, jobs.mark_breached_pickups) >= 1
    assert last_event(counter, notice_id).type == "returns.return.pickup_breached.v1"
    assert run(counter, after, jobs.mark_breached_pickups) == 0
    run(counter, after, lambda tx: commands.confirm_pickup(tx, notice_id), "chen", "storekeeper")
    event = last_event(counter, notice_id)
    assert event.data["on_time"] is False
    assert event.data["hours"] == 85


@pytest.mark.requirement("R6")
def test_a_pickup_in_time_is_on_time(counter):
    notice_id = ordered(counter)
    run(counter, END_OF_MONDAY, lambda tx: commands.confirm_pickup(tx, notice_id), "chen", "storekeeper")
    assert last_event(counter, notice_id).data["on_time"] is True
