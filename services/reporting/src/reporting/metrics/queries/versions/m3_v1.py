"""M3 return visits: customers of the month who had also bought in the days before it.

Visits count on their business day, however late they are told and wherever they are booked. A sale whose whole quantity
was refunded before the window ends does not count, neither now nor before. For a branch both visits are visits to that
branch. A chain or branch whose sales do not reach back as far as the window has no value: who came before is not known.
Source: P2, metric M3
"""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final

from reporting.metrics.model import Counts, Detail, Line, Metric, Unit, ratio_bp, sql_beside
from reporting.metrics.rules import Definition


def _binds(rule: Definition, month: date) -> Mapping[str, date]:
    return {"back": month - timedelta(days=rule.parameters["look_back_days"])}


def _detail(counts: Counts) -> Detail:
    return {
        "identified_sales": counts["identified_sales"],
        "sales": counts["sales"],
        "coverage_bp": ratio_bp(counts["identified_sales"], counts["sales"]),
        "looks_back_whole": bool(counts["looks_back_whole"]),
    }


METRIC: Final = Metric(
    code="M3",
    version="1",
    name="return-visit rate",
    title="Return-visit rate",
    explanation="Customers with a purchase this month who had also bought in the 365 days before; fully returned purchases do not count.",
    numerator="customers who came back",
    denominator="customers",
    unit=Unit.PERCENT,
    of_branches=True,
    sql=sql_beside(__file__),
    binds=_binds,
    counts=("identified_sales", "sales", "looks_back_whole"),
    detail=_detail,
    shown=(
        Line(
            label="Sales with a known customer",
            share="coverage_bp",
            counts=("identified_sales", "sales"),
        ),
    ),
    unknown="The sales here do not reach back the 365 days that are looked at: who came back cannot be told from who came first.",
)
