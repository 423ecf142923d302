"""What time makes receivables do."""

from finance.receivables import accounts, dunning, interest
from shared.transaction import Tx


def dun(tx: Tx) -> int:
    """Open cases for debts that fell overdue, raise what is due, judge promises; tell what is overdue."""
    return dunning.open_cases(tx) + dunning.move_cases(tx) + dunning.tell_overdue(tx)


def charge_interest(tx: Tx) -> int:
    """Charge institutions the interest of overdue debts, at the end of a month and when they are settled."""
    return interest.charge_interest(tx)


def state_accounts(tx: Tx) -> int:
    """Issue the statements of account of the last quarter's end."""
    return accounts.issue_periodically(tx)
