"""Confirm that goods were fetched, and record once that they were not in time."""

from uuid import UUID

from returns import notices
from returns.kernel.durations import hours_between
from returns.kernel.vocabulary import Fact, Status
from returns.pickups import events, store
from shared.transaction import Tx


def confirm_pickup(tx: Tx, notice_id: UUID) -> None:
    """The goods are on the vehicle. Raises StepNotAllowed. Source: R6"""
    notice = notices.lock(tx, notice_id)
    before = notice.happen(Fact.PICKUP_CONFIRMED, Status.PICKED_UP)
    pickup = store.confirm(tx, notice_id)
    hours = hours_between(pickup["ordered_at"], tx.now)
    notices.add_history(
        tx,
        notice,
        Fact.PICKUP_CONFIRMED,
        before=before,
        detail={"on_time": pickup["on_time"], "due_at": pickup["due_at"].isoformat()},
    )
    event = events.pickup_confirmed(notice.at(tx.now), hours=hours, on_time=pickup["on_time"])
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
