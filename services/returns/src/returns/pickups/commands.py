"""Order that goods are fetched, confirm that they were, and record once that they were not in time.

They are fetched by the end of the next working day (R6). Where that day lies in a year whose holidays are not announced,
the order says so by having no due moment; it gets one, or another one, when a notice of holidays comes.
"""

from datetime import datetime
from uuid import UUID

from returns import notices
from returns.kernel.durations import hours_between
from returns.kernel.vocabulary import Fact, Status
from returns.pickups import events, rules, store
from shared import audit, holidays
from shared.holidays import InForce
from shared.transaction import Tx


def order(tx: Tx, notice_id: UUID) -> datetime | None:
    """Order the pickup from now on; returns when it is due, None while the calendar cannot tell. Source: R6"""
    known = holidays.in_force(tx.conn)
    due_at = rules.due_at(known.calendar, tx.now)
    store.order(tx, notice_id, due_at=due_at, calendar_no=known.number)
    return due_at


def date_pickup(tx: Tx, notice_id: UUID, known: InForce) -> bool:
    """Compute when an open pickup is due by the notices known now; whether it is due at another moment than before."""
    notice = notices.lock(tx, notice_id)
    pickup = store.open_pickup(tx, notice_id)
    if notice.status is not Status.PICKUP_ORDERED or pickup is None:
        return False
    before, due_at = pickup["due_at"], rules.due_at(known.calendar, pickup["ordered_at"])
    if due_at != before or pickup["calendar_no"] != known.number:
        store.date(tx, notice_id, due_at=due_at, calendar_no=known.number)
    if due_at == before:
        return False
    told = [each.isoformat() if each else None for each in (before, due_at)]
    audit.record(tx, "pickup.date", str(notice_id), before=told[0], after=told[1])
    return True


def confirm_pickup(tx: Tx, notice_id: UUID) -> None:
    """The goods are on the vehicle. Raises StepNotAllowed, CalendarUnknown. Source: R6"""
    notice = notices.lock(tx, notice_id)
    before = notice.happen(Fact.PICKUP_CONFIRMED, Status.PICKED_UP)
    pickup = store.pickup(tx, notice_id)
    on_time = rules.is_on_time(
        holidays.calendar(tx.conn), pickup["ordered_at"], due_at=pickup["due_at"], now=tx.now
    )
    store.confirm(tx, notice_id, on_time=on_time)
    hours = hours_between(pickup["ordered_at"], tx.now)
    due_at = pickup["due_at"]
    notices.add_history(
        tx,
        notice,
        Fact.PICKUP_CONFIRMED,
        before=before,
        detail={"on_time": on_time, "due_at": due_at.isoformat() if due_at else None},
    )
    event = events.pickup_confirmed(notice.at(tx.now), hours=hours, on_time=on_time)
    notices.finish(tx, notice, [event], before=before)


def mark_pickup_breached(tx: Tx, notice_id: UUID) -> bool:
    """Record once that a pickup was not confirmed in time; False when it was after all. Source: R6"""
    notice = notices.lock(tx, notice_id)
    if notice.status is not Status.PICKUP_ORDERED:
        return False
    due_at = store.mark_breached(tx, notice_id)
    if due_at is None:
        return False
    before = notice.happen(Fact.PICKUP_BREACHED)
    notices.add_history(
        tx, notice, Fact.PICKUP_BREACHED, before=before, detail={"due_at": due_at.isoformat()}
    )
    notices.finish(
        tx,
        notice,
        [events.pickup_breached(notice.at(tx.now), due_at=due_at.isoformat())],
        before=before,
    )
    return True
