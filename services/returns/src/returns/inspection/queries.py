"""What is read of inspections."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import RowMapping, select

from returns.inspection.tables import inspection_reports
from shared.transaction import Tx


def reports_of(tx: Tx, line_ids: Sequence[UUID]) -> Sequence[RowMapping]:
    """Every report about these lines, the oldest first."""
    found = select(inspection_reports).where(inspection_reports.c.line_id.in_(line_ids))
    return tx.conn.execute(found.order_by(inspection_reports.c.id)).mappings().all()
