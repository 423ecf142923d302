"""The statements that change pickups; all within the caller's transaction."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import RowMapping, insert, select, text, update

from returns import notices
from returns.kernel.vocabulary import Status
from returns.pickups.tables import return_pickups
from shared.transaction import Tx


def order(tx: Tx, notice_id: UUID, *, due_at: datetime) -> None:
    tx.conn.execute(insert(return_pickups).values(notice_id=notice_id, ordered_at=tx.now, due_at=due_at))


def confirm(tx: Tx, notice_id: UUID) -> RowMapping:
    """Write the confirmation; `on_time` and `ordered_at` come back."""
    return (
        tx.conn.execute(
            update(return_pickups)
            .where(return_pickups.c.notice_id == notice_id)
            .values(
                confirmed_at=tx.now,
                confirmed_by=tx.actor.id,
                on_time=text("due_at >= :now").bindparams(now=tx.now),
            )
            .returning(return_pickups.c.ordered_at, return_pickups.c.due_at, return_pickups.c.on_time)
        )
        .mappings()
        .one()
    )


def overdue(tx: Tx, *, limit: int) -> Sequence[UUID]:
    """Notices whose pickup is late and was not yet marked so, the oldest first."""
    awaited = notices.in_state(Status.PICKUP_ORDERED)
    return (
        tx.conn.execute(
            select(return_pickups.c.notice_id)
            .join(awaited, awaited.c.id == return_pickups.c.notice_id)
            .where(
                return_pickups.c.confirmed_at.is_(None),
                return_pickups.c.breached_at.is_(None),
                return_pickups.c.due_at < tx.now,
            )
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
        .where(
            return_pickups.c.notice_id == notice_id,
            return_pickups.c.confirmed_at.is_(None),
            return_pickups.c.breached_at.is_(None),
        )
        .values(breached_at=tx.now)
        .returning(return_pickups.c.due_at)
    ).scalar_one_or_none()
