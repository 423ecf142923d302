"""What is read of pickups."""

from uuid import UUID

from sqlalchemy import RowMapping, select

from returns.pickups.tables import return_pickups
from shared.transaction import Tx


def pickup_of(tx: Tx, notice_id: UUID) -> RowMapping | None:
    """That of the notice, where it has one."""
    found = select(return_pickups).where(return_pickups.c.notice_id == notice_id)
    return tx.conn.execute(found).mappings().one_or_none()
