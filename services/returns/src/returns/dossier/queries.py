"""A notice with all that happened to it, each part as its owner tells it."""

from typing import Any
from uuid import UUID

from returns import approvals, cold_chain, inspection, notices, pickups, receiving
from shared.transaction import Tx


def get_return(tx: Tx, notice_id: UUID) -> dict[str, Any]:
    """A notice with all that happened to it. Raises ReturnNotFound, ForeignBranch."""
    notice = notices.read(tx, notice_id)
    of_lines = [line["id"] for line in notice["lines"]]
    evidence = cold_chain.evidence_of(tx, of_lines)
    reports = inspection.reports_of(tx, of_lines)
    return {
        **notice,
        "lines": [
            {
                **line,
                "cold_chain": evidence.get(line["id"]),
                "inspections": [report for report in reports if report["line_id"] == line["id"]],
            }
            for line in notice["lines"]
        ],
        "decisions": approvals.decisions_of(tx, notice_id),
        "pickup": pickups.pickup_of(tx, notice_id),
        "receipt": receiving.receipt_of(tx, notice_id),
    }
