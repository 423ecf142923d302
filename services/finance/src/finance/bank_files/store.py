"""Who works on the same of the bank waits for the others."""

from sqlalchemy import text

from shared.transaction import Tx


def hold(tx: Tx, what: str) -> None:
    """Wait for others who work on the same of the bank, until the transaction ends."""
    tx.conn.execute(
        text("select pg_advisory_xact_lock(hashtextextended('finance:bank:' || :what, 0))"), {"what": what}
    )
