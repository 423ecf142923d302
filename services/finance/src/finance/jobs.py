"""What time makes finance do."""

from sqlalchemy import text

from finance import ledger, repository
from shared.clock import business_date, month_of, next_month
from shared.transaction import Tx

MONTHS_AHEAD = 2


def make_months_ahead(tx: Tx) -> int:
    """Have the partitions of this month and the next MONTHS_AHEAD ready before a till needs them."""
    month = month_of(business_date(tx.now))
    for _ in range(MONTHS_AHEAD + 1):
        repository.ensure_month(tx.conn, month)
        month = next_month(month)
    return 0


def prove_sub_ledgers(tx: Tx) -> int:
    """Set every sub-ledger against its control account, in one snapshot. One that differs fails the job, with its code.

    Source: F15, F16, I28
    """
    tx.conn.execute(text("set transaction isolation level repeatable read, read only"))
    for proof in ledger.proofs:
        proof(tx.conn, month_of(business_date(tx.now)))
    return 0
