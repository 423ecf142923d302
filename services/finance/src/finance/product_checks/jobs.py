"""What time demands of what contradicted the catalogue: it goes after a while."""

from datetime import timedelta

from finance.product_checks import store
from shared.service import Job
from shared.transaction import Tx

KEPT = timedelta(days=100)
AT_ONCE_MAX = 10_000


def prune(tx: Tx) -> int:
    """Forget contradictions that are older than a quarter."""
    return store.forget(tx, tx.now - KEPT, AT_ONCE_MAX)


JOBS = [Job(name="prune_product_contradictions", every_s=3600, run=prune)]
