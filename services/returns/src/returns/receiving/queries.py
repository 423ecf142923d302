"""What is read of receipts."""

from uuid import UUID

from sqlalchemy import RowMapping, select

from returns.receiving.tables import return_receipts
from shared.transaction import Tx


def receipt_of(tx: Tx, notice_id: UUID) -> RowMapping | None:
    """That of the notice, where it has one."""
    found = select(return_receipts).where(return_receipts.c.notice_id == notice_id)
    return tx.conn.execute(found).mappings().one_or_none()
