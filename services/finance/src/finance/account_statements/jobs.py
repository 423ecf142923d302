"""What time demands of statements of account."""

from finance.account_statements import commands
from shared.service import Job
from shared.transaction import Tx


def state_accounts(tx: Tx) -> int:
    """Issue the statements of account of the last quarter's end."""
    return commands.issue_periodically(tx)


JOBS = [Job(name="state_accounts", every_s=3600, run=state_accounts)]
