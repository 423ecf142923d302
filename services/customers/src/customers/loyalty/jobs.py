"""What time does to points: unused redemptions give theirs back, and every day some expire.

Source: C38, I13
"""

from customers.loyalty import commands
from shared.service import Job
from shared.transaction import Tx

REDEMPTIONS_PER_RUN_MAX = 200
ACCOUNTS_PER_RUN_MAX = 200
EVERY_S = 60.0


def restore_points(tx: Tx) -> int:
    """Give back the points of redemptions that no sale used in time; returns how many."""
    return commands.restore_unused(tx, REDEMPTIONS_PER_RUN_MAX)


def expire_points(tx: Tx) -> int:
    """Let points expire that are past their day; returns how many accounts were looked at."""
    return commands.expire(tx, ACCOUNTS_PER_RUN_MAX)


JOBS = (
    Job(name="restore_points", every_s=EVERY_S, run=restore_points),
    Job(name="expire_points", every_s=EVERY_S, run=expire_points),
)
"""They look every minute and mostly find nothing: points that a refund gives back may have expired meanwhile."""
