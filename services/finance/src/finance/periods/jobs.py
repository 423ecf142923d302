"""What time demands of months."""

from finance.periods import store
from shared.clock import business_date, month_of, next_month
from shared.service import Job
from shared.transaction import Tx

MONTHS_AHEAD = 2


def make_months_ahead(tx: Tx) -> int:
    """Have the partitions of this month and the next MONTHS_AHEAD ready before a till needs them."""
    month = month_of(business_date(tx.now))
    for _ in range(MONTHS_AHEAD + 1):
        store.ensure_month(tx.conn, month)
        month = next_month(month)
    return 0


JOBS = [Job(name="make_months_ahead", every_s=3600, run=make_months_ahead)]
