"""The statement that keeps ledgers as they were; within the caller's transaction."""

from collections.abc import Sequence
from datetime import date

from shared.transaction import Tx


def add_frozen(tx: Tx, ledgers: Sequence[tuple[date, str, str, str, str]]) -> None:
    """Store ledgers: month, kind, branch, content as JSON, and its hash."""
    tx.conn.exec_driver_sql(
        "insert into frozen_ledgers (month, kind, branch_id, content, content_hash)"
        " values (%s, %s, %s, %s::jsonb, %s)",
        list(ledgers),
    )
