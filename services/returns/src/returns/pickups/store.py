"""The statements that change pickups; all within the caller's transaction."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import RowMapping, insert, select, update

from returns import notices
from returns.kernel.vocabulary import Status
from returns.pickups.tables import return_pickups
from shared.transaction import Tx

_IS_OPEN = (return_pickups.c.confirmed_at.is_(None), return_pickups.c.breached_at.is_(None))


def order(tx: Tx, notice_id: UUID, *, due_at: datetime | None, calendar_no: int) -> None:
    tx.conn.execute(
        insert(return_pickups).values(
            notice_id=notice_id, ordered_at=tx.now, due_at=due_at, calendar_no=calendar_no
        )
    )


def pickup(tx: Tx, notice_id: UUID) -> RowMapping:
    """That of a notice that has one, which the caller has locked."""
    found = select(return_pickups).where(return_pickups.c.notice_id == notice_id)
    return tx.conn.execute(found).mappings().one()


def open_pickup(tx: Tx, notice_id: UUID) -> RowMapping | None:
    """That of a notice the caller has locked, unless it was confirmed or told late."""
    found = select(return_pickups).where(return_pickups.c.notice_id == notice_id, *_IS_OPEN)
    return tx.conn.execute(found).mappings().one_or_none()


def date(tx: Tx, notice_id: UUID, *, due_at: datetime | None, calendar_no: int) -> None:
    """When it is due, as told by all notices of holidays up to `calendar_no`."""
    tx.conn.execute(
        update(return_pickups)
        .where(return_pickups.c.notice_id == notice_id)
        .values(due_at=due_at, calendar_no=calendar_no)
    )


def confirm(tx: Tx, notice_id: UUID, *, on_time: bool) -> None:
    tx.conn.execute(
        update(return_pickups)
        .where(return_pickups.c.notice_id == notice_id)
        .values(confirmed_at=tx.now, confirmed_by=tx.actor.id, on_time=on_time)
    )


def to_date(tx: Tx, calendar_no: int, *, limit: int) -> Sequence[UUID]:
    """Notices with an open pickup whose due moment is not told by all notices of holidays up to `calendar_no`.

    Those that the calendar could not tell yet come last.
    """
    awaited = notices.in_state(Status.PICKUP_ORDERED)
    found = (
        select(return_pickups.c.notice_id)
        .join(awaited, awaited.c.id == return_pickups.c.notice_id)
        .where(*_IS_OPEN, (return_pickups.c.calendar_no < calendar_no) | return_pickups.c.due_at.is_(None))
        .order_by(return_pickups.c.due_at.nulls_last(), return_pickups.c.ordered_at)
        .limit(limit)
    )
    return tx.conn.execute(found).scalars().all()


def overdue(tx: Tx, *, limit: int) -> Sequence[UUID]:
    """Notices whose pickup is late and was not yet marked so, the oldest first."""
    awaited = notices.in_state(Status.PICKUP_ORDERED)
    return (
        tx.conn.execute(
            select(return_pickups.c.notice_id)
            .join(awaited, awaited.c.id == return_pickups.c.notice_id)
            .where(*_IS_OPEN, return_pickups.c.due_at < tx.now)
            .order_by(return_pickups.c.due_at)
            .limit(limit)
        )
        .scalars()
        .all()
    )


def mark_breached(tx: Tx, notice_id: UUID) -> datetime | None:
    """The time it was due; None when somebody confirmed or marked it meanwhile."""
    return tx.conn.execute(
        update(return_pickups)
        .where(return_pickups.c.notice_id == notice_id, *_IS_OPEN)
        .values(breached_at=tx.now)
        .returning(return_pickups.c.due_at)
    ).scalar_one_or_none()
