"""What time makes costs do."""

from datetime import timedelta

from finance import periods
from finance.costs import queries
from finance.costs.commands import alerts, costing
from finance.kernel.period import PeriodState
from shared.clock import business_date, month_of
from shared.service import Job
from shared.transaction import Tx


def cost_last_month(tx: Tx) -> int:
    """Cost the month that is over, one branch at a time, where nobody has done it yet and it is open."""
    month = month_of(month_of(business_date(tx.now)) - timedelta(days=1))
    branch = queries.next_uncosted(tx.conn, month)
    if branch is None or periods.period_state(tx.conn, month) != PeriodState.OPEN:
        return 0
    costing.run(tx, branch, month)
    return 1


def find_sales_below_cost(tx: Tx) -> int:
    """Look through the sales told since the last turn."""
    return alerts.find(tx)


JOBS = [
    Job(name="cost_last_month", every_s=3600, run=cost_last_month),
    Job(name="find_sales_below_cost", every_s=60, run=find_sales_below_cost),
]
