"""Targets beside what was sold."""

from datetime import date
from typing import Any

from sqlalchemy import text

from finance import sold
from finance.kernel.rates import share_bp
from finance.orders import ORDERED
from shared.clock import next_month
from shared.transaction import Tx

_PROGRESS = f"""
with sold as (
    select coalesce(o.drafted_by, s.posted_by) as person, s.channel, sum(s.net_fen)::bigint as net from {sold.SALES} s
    left join {ORDERED} o on o.sale_id = s.sale_id
    where s.booked_on >= :first and s.booked_on < :until and s.branch_id = :branch group by 1, 2
)
select t.target_id, t.person, t.channel, t.net_fen as target_fen, t.strategy, (
    select coalesce(sum(s.net), 0)::bigint from sold s
    where t.person in ('', s.person) and t.channel in ('', s.channel)
) as actual_fen from sales_targets t where t.branch_id = :branch and t.month = :first
order by t.person, t.channel
"""
_REPORTED = """
select person, count(*) as days, count(*) filter (where on_time) as days_on_time,
    sum(reported_fen)::bigint as reported_fen, sum(posted_fen)::bigint as posted_fen, sum(visits)::bigint as visits
from sales_reports where branch_id = :branch and day >= :first and day < :until group by person order by person
"""


def progress(tx: Tx, branch_id: str, month: date) -> dict[str, Any]:
    """Each target of a branch and month beside what was posted, and who reported how many days in time.

    Actual is the net of posted sales of the month, those of orders of who drafted the order; refunds are told by the
    margin, not here.
    """
    tx.actor.require_branch(branch_id)
    span = {"branch": branch_id, "first": month, "until": next_month(month)}
    rows = tx.conn.execute(text(_PROGRESS), span).mappings()
    said = tx.conn.execute(text(_REPORTED), span).mappings()
    return {
        "branch_id": branch_id,
        "targets": [{**row, "reached_bp": share_bp(row["actual_fen"], row["target_fen"])} for row in rows],
        "reports": [dict(row) for row in said],
    }


def year_plan(tx: Tx, branch_id: str, year: int) -> dict[str, Any]:
    """The annual sales plan of a branch: its targets month by month (F7)."""
    tx.actor.require_branch(branch_id)
    rows = tx.conn.execute(
        text(
            "select *, to_char(month, 'YYYY-MM') as month_text from sales_targets"
            " where branch_id = :branch and month >= :first and month < :until"
            " order by month, person, channel limit 5000"
        ),
        {"branch": branch_id, "first": date(year, 1, 1), "until": date(year + 1, 1, 1)},
    ).mappings()
    items = [{**row, "month": row["month_text"]} for row in rows]
    whole = [item["net_fen"] for item in items if not item["person"] and not item["channel"]]
    return {"branch_id": branch_id, "year": year, "net_fen": sum(whole), "items": items}
