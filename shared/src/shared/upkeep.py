"""What every service's scheduler does besides its own jobs: forgetting what is no longer needed.

Watermarks, gap repair and the pruning of the inbox are the consumer's (shared.watermark).
"""

from sqlalchemy import text

from shared.service import Job
from shared.transaction import Tx

IDEMPOTENCY_KEYS_KEPT_DAYS = 30
PRUNE_ROWS_MAX = 10_000


def prune_idempotency_keys(tx: Tx) -> int:
    """Forget answers older than IDEMPOTENCY_KEYS_KEPT_DAYS, at most PRUNE_ROWS_MAX at a time."""
    done = tx.conn.execute(
        text(
            "delete from idempotency_keys where ctid = any(array("
            " select ctid from idempotency_keys"
            " where created_at < :now - make_interval(days => :days) limit :limit))"
        ),
        {"now": tx.now, "days": IDEMPOTENCY_KEYS_KEPT_DAYS, "limit": PRUNE_ROWS_MAX},
    )
    return int(done.rowcount)


JOBS = (Job(name="prune_idempotency_keys", every_s=3600, run=prune_idempotency_keys),)
