"""The statements that write reports, and who inspected before."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select

from returns.inspection.tables import inspection_reports
from shared.transaction import Tx


def add_inspection_report(tx: Tx, report: Mapping[str, Any]) -> None:
    tx.conn.execute(insert(inspection_reports).values(at=tx.now, inspector=tx.actor.id, **report))


def inspectors_of(tx: Tx, line_ids: Sequence[UUID]) -> dict[UUID, set[str]]:
    """Who has ever inspected each line."""
    found: dict[UUID, set[str]] = {line_id: set() for line_id in line_ids}
    for row in tx.conn.execute(
        select(inspection_reports.c.line_id, inspection_reports.c.inspector).where(
            inspection_reports.c.line_id.in_(line_ids)
        )
    ):
        found[row.line_id].add(row.inspector)
    return found
