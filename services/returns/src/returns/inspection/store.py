"""The statements that write reports, and who inspected before."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import insert, select

from returns.inspection.model import Report
from returns.inspection.tables import inspection_reports
from shared.clock import new_id
from shared.transaction import Tx


def add_inspection_report(tx: Tx, report: Report) -> None:
    """File a report, by the actor and now."""
    inspected = report.inspected
    tx.conn.execute(
        insert(inspection_reports).values(
            id=new_id(),
            line_id=inspected.return_line_id,
            at=tx.now,
            inspector=tx.actor.id,
            cases=inspected.cases,
            is_intact=inspected.is_intact,
            has_anomaly=inspected.has_anomaly,
            cases_sampled=inspected.cases_sampled,
            checks=inspected.checks,
            cases_required=report.cases_required,
            packs_per_case_required=report.packs_per_case_required,
            result=report.result,
            accepted_quantity=inspected.accepted_quantity,
        )
    )


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
