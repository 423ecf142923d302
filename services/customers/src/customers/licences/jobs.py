"""What time does to customers: at 24:00 of its last day a licence ends, and with it the permission it gave.

Source: G2, I34
"""

from customers import master
from customers.licences import commands, store
from shared.clock import business_date
from shared.service import Job
from shared.transaction import Tx

CUSTOMERS_PER_RUN_MAX = 200
EVERY_S = 15.0


def follow_licences(tx: Tx) -> int:
    """Settle every customer for whom a licence begins or has ended by today in Shanghai; returns how many.

    Those whom somebody else holds are left for the next time.
    """
    due = master.lock_free(
        tx.conn, store.due_customers(tx.conn, business_date(tx.now), CUSTOMERS_PER_RUN_MAX)
    )
    for customer_id in due:
        commands.end_licences(tx, customer_id)
    return len(due)


JOBS = (Job(name="follow_licences", every_s=EVERY_S, run=follow_licences),)
