"""HTTP of promotion plans."""

from typing import Any
from uuid import UUID

from finance import expense_categories
from finance.promotion_plans import Forecast
from finance.promotions import commands, queries, schemas
from shared.arguments import Blueprint
from shared.decisions import DecisionBody
from shared.transaction import Tx
from shared.web import admits, command, query

promotions = Blueprint("promotions", __name__, tag="expenses")


def _forecast(body: dict[str, Any]) -> Forecast:
    return Forecast(
        code=body["code"],
        branch_id=body["branch_id"],
        first_day=body["first_day"],
        last_day=body["last_day"],
        products=sorted(set(body["products"])),
        baseline_net_fen=body["baseline_net"],
        baseline_margin_fen=body["baseline_margin"],
        uplift_bp=body["uplift_bp"],
        budget_fen=body["budget"],
    )


@promotions.post("/promotion-plans")
@command
@admits("accountant", "finance_head")
@promotions.arguments(schemas.PromotionPlanBody)
@promotions.response(201, schemas.PromotionPlanView)
def propose_plan(tx: Tx, body: dict[str, Any]) -> dict[str, Any]:
    """Finance's sales forecast and budget for a campaign."""
    return queries.plan(tx, commands.propose(tx, _forecast(body)))


@promotions.get("/promotion-plans")
@query
@admits(*expense_categories.SPENDING_READERS, "cs_agent")
@promotions.arguments(schemas.PlansArgs, location="query")
@promotions.response(200, schemas.PromotionPlansPage)
def list_plans(tx: Tx, args: dict[str, Any]) -> dict[str, Any]:
    """Plans; of closed ones the frozen result."""
    return queries.plans(tx, args)


@promotions.get("/promotion-plans/<uuid:plan_id>")
@query
@admits(*expense_categories.SPENDING_READERS, "cs_agent")
@promotions.response(200, schemas.PromotionPlanView)
def get_plan(tx: Tx, plan_id: UUID) -> dict[str, Any]:
    """One plan, its drawings, and what it has brought."""
    return queries.plan(tx, plan_id)


@promotions.post("/promotion-plans/<uuid:plan_id>/decisions")
@command
@admits("finance_head", "cs_manager")
@promotions.arguments(DecisionBody)
@promotions.response(200, schemas.PromotionPlanView)
def decide_plan(tx: Tx, body: dict[str, Any], plan_id: UUID) -> dict[str, Any]:
    """Finance head and customer service manager approve; then offers of the customers service may draw."""
    commands.decide(tx, plan_id, **body)
    return queries.plan(tx, plan_id)


@promotions.post("/promotion-plans/<uuid:plan_id>/close")
@command
@admits("accountant", "finance_head")
@promotions.response(200, schemas.PromotionPlanView)
def close_plan(tx: Tx, plan_id: UUID) -> dict[str, Any]:
    """Freeze the result of a plan that is over."""
    commands.close(tx, plan_id)
    return queries.plan(tx, plan_id)
