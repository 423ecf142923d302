"""What time demands of the closing."""

from finance.closing import store
from finance.closing.commands import conditions
from shared.clock import business_date, month_of
from shared.service import Job
from shared.transaction import Tx


def prove_sub_ledgers(tx: Tx) -> int:
    """Set every sub-ledger against its control account, in one snapshot. One that differs fails the job, with its code.

    Source: F15, F16, I28
    """
    store.read_in_one_snapshot(tx)
    for proof in conditions.PROOFS:
        proof(tx.conn, month_of(business_date(tx.now)))
    return 0


JOBS = [Job(name="prove_sub_ledgers", every_s=21_600, run=prove_sub_ledgers)]
