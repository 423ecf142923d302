"""What projects cost and brought."""

from typing import Any

from sqlalchemy import text

from finance.kernel.company import require_company
from finance.kernel.rates import roi_bp
from shared.transaction import Tx


def crm(tx: Tx, project: str) -> dict[str, Any]:
    """What a project cost (development + running) and brought (gain + saving), with the return on it (F28).

    Raises CompanyNotCovered.
    """
    require_company(tx.actor)
    rows = tx.conn.execute(
        text(
            "select record_id, to_char(month, 'YYYY-MM') as month, kind, fen, basis, recorded_by, recorded_at"
            " from crm_records where project = :project order by month, record_id limit 5000"
        ),
        {"project": project},
    ).mappings()
    items = [dict(row) for row in rows]
    sums = {kind: sum(i["fen"] for i in items if i["kind"] == kind) for kind in _CRM_KINDS}
    cost, benefit = sums["development"] + sums["running"], sums["gain"] + sums["saving"]
    return {
        "project": project,
        **{f"{kind}_fen": fen for kind, fen in sums.items()},
        "cost_fen": cost,
        "benefit_fen": benefit,
        "roi_bp": roi_bp(benefit, cost),
        "items": items,
    }


_CRM_KINDS = ("development", "running", "gain", "saving")
