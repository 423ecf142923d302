"""What time does to returns: a pickup that nobody confirmed by its deadline becomes a breach."""

from returns.pickups import commands, store
from shared.service import Job
from shared.transaction import Tx

BREACHES_MAX = 100


def mark_breached_pickups(tx: Tx) -> int:
    """Mark every overdue pickup once. Source: R6"""
    return sum(
        commands.mark_pickup_breached(tx, notice_id) for notice_id in store.overdue(tx, limit=BREACHES_MAX)
    )


JOBS = (Job(name="mark_breached_pickups", every_s=30, run=mark_breached_pickups),)
