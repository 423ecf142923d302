"""Promotion plans and what they brought."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import text

from finance import budgets, promotion_plans, sold
from finance.kernel.rates import roi_bp
from finance.promotions.rules import PlanNotFound, forecast_net_fen
from shared.transaction import Tx


def plan(tx: Tx, plan_id: UUID) -> dict[str, Any]:
    """A plan with its drawings and what it brought so far. Raises PlanNotFound."""
    key = {"id": plan_id}
    row = promotion_plans.plan_of(tx, plan_id)
    if row is None or not tx.actor.may_see(row["branch_id"]):
        raise PlanNotFound("no such plan")
    drawn = tx.conn.execute(
        text("select * from promotion_drawings where plan_id = :id order by drawing_id limit 1000"), key
    ).mappings()
    figures = plan_figures(tx, row) if row["state"] != "closed" else {}
    return {
        **row,
        **figures,
        "forecast_net_fen": forecast_net_fen(row["baseline_net_fen"], row["uplift_bp"]),
        "drawings": [dict(each) for each in drawn],
    }


def plan_figures(tx: Tx, row: Mapping[str, Any]) -> dict[str, Any]:
    """What was sold in the plan's days and of its products, its margin, what was spent, and the return on it.

    ROI = (margin − baseline margin − spent) ÷ spent. Products left empty means all.
    """
    took = tx.conn.execute(
        text(
            "select coalesce(sum(l.net_fen), 0)::bigint as net, coalesce(sum(l.cost_fen), 0)::bigint as cost"
            f" from {sold.LINES} l where l.booked_on between :first and :last and l.branch_id = :branch"
            " and (cardinality(cast(:products as text[])) = 0 or l.product_id = any(:products))"
        ),
        {
            "first": row["first_day"],
            "last": row["last_day"],
            "branch": row["branch_id"],
            "products": list(row["products"]),
        },
    ).one()
    paid_by = [] if row["budget_id"] is None else budgets.locked(tx, [row["budget_id"]], hold=False)
    spent = paid_by[0].actual_fen if paid_by else 0
    margin = took.net - took.cost
    return {
        "net_fen": took.net,
        "margin_fen": margin,
        "spent_fen": spent,
        "roi_bp": roi_bp(margin - row["baseline_margin_fen"], spent),
    }


def plans(tx: Tx, args: Mapping[str, Any]) -> dict[str, Any]:
    """Plans by id, without their drawings."""
    found = promotion_plans.listed(tx, args)
    for row in found["items"]:
        row["forecast_net_fen"] = forecast_net_fen(row["baseline_net_fen"], row["uplift_bp"])
    return found
