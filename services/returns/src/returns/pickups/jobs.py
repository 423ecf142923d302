"""What time does to pickups: a notice of holidays makes them due otherwise, and one that is not confirmed is late."""

from returns.pickups import commands, store
from shared import holidays
from shared.service import Job
from shared.transaction import Tx

PICKUPS_AT_ONCE_MAX = 100


def mark_breached_pickups(tx: Tx) -> int:
    """Mark every overdue pickup once. Source: R6"""
    return sum(
        commands.mark_pickup_breached(tx, notice_id)
        for notice_id in store.overdue(tx, limit=PICKUPS_AT_ONCE_MAX)
    )


def date_pickups(tx: Tx) -> int:
    """Date the open pickups that newer notices of holidays make due otherwise, or due at all."""
    known = holidays.in_force(tx.conn)
    outdated = store.to_date(tx, known.number, limit=PICKUPS_AT_ONCE_MAX)
    return sum(commands.date_pickup(tx, notice_id, known) for notice_id in outdated)


JOBS = (
    Job(name="date_pickups", every_s=30, run=date_pickups),
    Job(name="mark_breached_pickups", every_s=30, run=mark_breached_pickups),
)
