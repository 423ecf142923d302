"""What is read of pickups."""

from typing import Any
from uuid import UUID

from sqlalchemy import select

from returns.pickups.tables import return_pickups
from shared import holidays
from shared.clock import business_date
from shared.transaction import Tx


def pickup_of(tx: Tx, notice_id: UUID) -> dict[str, Any] | None:
    """That of the notice, where it has one; without a due moment with the year whose holidays it waits for."""
    found = select(return_pickups).where(return_pickups.c.notice_id == notice_id)
    row = tx.conn.execute(found).mappings().one_or_none()
    if row is None:
        return None
    year = None
    if row["due_at"] is None:
        year = holidays.calendar(tx.conn).awaited_year(business_date(row["ordered_at"]))
    return {**row, "awaits_calendar_of": year}
