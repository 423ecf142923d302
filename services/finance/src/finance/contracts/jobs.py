"""What time makes contracts do."""

from finance.contracts import amending
from shared.transaction import Tx


def pass_contract_days(tx: Tx) -> int:
    """Put contracts in force on their first day, and expire them after their last; returns how many moved."""
    return amending.pass_time(tx)
