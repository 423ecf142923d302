"""A metric with its state: the frozen figure when the month is closed, else as facts stand.

Source: P2, architecture decision 5
"""

from datetime import date
from typing import Any

from sqlalchemy import Connection, text

from reporting import months
from reporting.kernel.scopes import CHAIN, NO_FACTS
from reporting.metrics.model import Figure
from reporting.metrics.queries.figures import figure

_SNAPSHOT = text(
    "select * from metric_snapshots where month = :month and metric = :code and branch_id = :branch_id"
)


def metric_view(conn: Connection, code: str, month: date, branch_id: str = CHAIN) -> dict[str, Any]:
    """The metric with its state; `revised` is the figure as of now where late facts changed a frozen one."""
    now = figure(conn, code, month, branch_id)
    close = months.close_of(conn, month)
    if close is None:
        return {**now.as_json(), "state": "open", "frozen_at": None, "revised": None}
    row = (
        conn.execute(_SNAPSHOT, {"month": month, "code": code, "branch_id": now.branch_id})
        .mappings()
        .one_or_none()
    )
    if row is None:
        frozen = figure(conn, code, NO_FACTS.replace(year=2000), branch_id)
    else:
        frozen = Figure(
            code=row["metric"],
            version=row["version"],
            month=month,
            branch_id=row["branch_id"],
            numerator=row["numerator"],
            denominator=row["denominator"],
            value_bp=row["value_bp"],
            n=row["n"],
            low_sample=row["low_sample"],
            detail=row["detail"],
        )
    figures = (frozen.numerator, frozen.denominator, frozen.detail)
    changed = figures != (now.numerator, now.denominator, now.detail)
    return {
        **frozen.as_json(),
        "month": f"{month:%Y-%m}",
        "state": "closed",
        "frozen_at": close["closed_at"],
        "revised": now.as_json() if changed else None,
    }
