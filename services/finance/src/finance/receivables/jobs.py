"""What time makes receivables do."""

from finance.receivables.commands import interest
from shared.service import Job
from shared.transaction import Tx


def charge_interest(tx: Tx) -> int:
    """Charge institutions the interest of overdue debts, at the end of a month and when they are settled."""
    return interest.charge_interest(tx)


JOBS = [Job(name="charge_interest", every_s=3600, run=charge_interest)]
