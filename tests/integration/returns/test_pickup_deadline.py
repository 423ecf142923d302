"""A pickup is confirmed by the end of the next business day, or the breach is recorded once. Source: R6"""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from returns import approvals
from returns.app import SERVICE
from returns.pickups import commands, jobs
from shared.calendar import CalendarUnknown
from shared.consumer import apply_batch
from shared.identity import Actor, system_actor
from shared.transaction import Tx
from tests.support import facts
from tests.support.returns_builders import Counter

FRIDAY = datetime(2026, 3, 6, 3, tzinfo=UTC)
END_OF_MONDAY = datetime(2026, 3, 9, 16, tzinfo=UTC)


def run(counter: Counter, moment, work, person=None, role=None):
    actor = Actor(person, frozenset({role}), frozenset({"*"})) if person else system_actor("returns")
    with counter.database.begin() as conn:
        return work(Tx(conn=conn, actor=actor, now=moment))


def ordered(counter, moment=FRIDAY):
    notice_id = UUID(counter.request(counter.sell()).json["return_id"])
    for person, role in (("wang", "business_head"), ("zhao", "qa")):
        run(
            counter,
            moment,
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


@pytest.mark.requirement("R6")
def test_goods_are_ordered_before_the_next_year_is_announced_and_due_once_it_is(counter):
    new_years_eve = datetime(2080, 12, 31, 3, tzinfo=UTC)
    notice_id = ordered(counter, new_years_eve)

    def pickup():
        return counter.get(f"/{notice_id}").json["pickup"]

    assert (pickup()["due_at"], pickup()["awaits_calendar_of"]) == (None, 2080)
    assert run(counter, new_years_eve, jobs.date_pickups) == 0
    told = [
        facts.holidays_announced(2, year=2081, rest_days=["2081-01-01", "2081-01-02"]),
        facts.holidays_announced(1, year=2080),
    ]
    apply_batch(counter.database, SERVICE, told)
    assert run(counter, new_years_eve, jobs.date_pickups) == 1
    assert (pickup()["due_at"], pickup()["awaits_calendar_of"]) == ("2081-01-03T16:00:00+00:00", None)
    apply_batch(counter.database, SERVICE, [facts.holidays_announced(3, rest_days=["2081-01-03"])])
    assert run(counter, new_years_eve, jobs.date_pickups) == 1
    assert pickup()["due_at"] == "2081-01-06T16:00:00+00:00", "the Friday was taken away"
    assert run(counter, new_years_eve, jobs.date_pickups) == 0, "once for each notice"


@pytest.mark.requirement("R6")
def test_goods_fetched_where_nobody_announced_the_days_to_come_are_in_time_and_later_ones_are_not_judged(
    counter,
):
    ordered_at = datetime(2085, 6, 1, 3, tzinfo=UTC)
    first, second = ordered(counter, ordered_at), ordered(counter, ordered_at)

    def fetch(notice_id):
        return lambda tx: commands.confirm_pickup(tx, notice_id)

    run(counter, ordered_at + timedelta(days=1), fetch(first), "chen", "storekeeper")
    assert last_event(counter, first).data["on_time"] is True
    with pytest.raises(CalendarUnknown):
        run(counter, ordered_at + timedelta(days=9), fetch(second), "chen", "storekeeper")
