"""What time demands of the closing."""

from finance.book import BOOK
from finance.closing import store
from finance.closing.commands import conditions
from finance.closing.events import sub_ledgers_proved
from shared import outbox
from shared.clock import business_date, month_of
from shared.errors import DomainError
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


def tell_proofs(tx: Tx) -> int:
    """The same, for others to know: what differs is told, where `prove_sub_ledgers` fails so that an operator looks."""
    store.read_in_one_snapshot(tx)
    month, differing = month_of(business_date(tx.now)), []
    for proof in conditions.PROOFS:
        try:
            proof(tx.conn, month)
        except DomainError as refusal:
            differing.append(refusal.code)
    outbox.append(tx, sub_ledgers_proved(book=BOOK, at=tx.now, differing=differing))
    return 0


JOBS = [
    Job(name="prove_sub_ledgers", every_s=21_600, run=prove_sub_ledgers),
    Job(name="tell_proofs", every_s=21_600, run=tell_proofs),
]
