"""What time makes costs do."""

from datetime import timedelta

from finance.costs import queries
from finance.costs.commands import alerts, costing
from shared.clock import business_date, month_of
from shared.transaction import Tx


def cost_last_month(tx: Tx) -> int:
    """Cost the month that is over, one branch at a time, where nobody has done it yet and it is open."""
    month = month_of(month_of(business_date(tx.now)) - timedelta(days=1))
    branch = queries.next_uncosted(tx.conn, month)
    if branch is None or not queries.is_open(tx.conn, month):
        return 0
    costing.run(tx, branch, month)
    return 1


def find_sales_below_cost(tx: Tx) -> int:
    """Look through the sales told since the last turn."""
    return alerts.find(tx)
