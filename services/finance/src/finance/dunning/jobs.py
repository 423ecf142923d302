"""What time demands of dunning."""

from finance.dunning.commands import cases
from shared.service import Job
from shared.transaction import Tx


def dun(tx: Tx) -> int:
    """Open cases for debts that fell overdue, raise what is due, judge promises; tell what is overdue."""
    return cases.open_cases(tx) + cases.move_cases(tx) + cases.tell_overdue(tx)


JOBS = [Job(name="dun", every_s=600, run=dun)]
