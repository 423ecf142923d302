"""What time makes contracts do."""

from finance.contracts.commands import amending
from shared.service import Job
from shared.transaction import Tx


def pass_contract_days(tx: Tx) -> int:
    """Put contracts in force on their first day, and expire them after their last; returns how many moved."""
    return amending.pass_time(tx)


JOBS = [Job(name="pass_contract_days", every_s=3600, run=pass_contract_days)]
