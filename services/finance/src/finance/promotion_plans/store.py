"""The rows of promotion plans, and what others ask of them."""

from collections.abc import Collection
from dataclasses import asdict, fields
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, any_, literal, select, text, update

from finance.promotion_plans.model import Forecast, Plan
from finance.promotion_plans.tables import plans
from shared.transaction import Tx

APPROVED = (
    "(select plan_id, branch_id, first_day, last_day, products from promotion_plans where state = 'approved')"
)
"""Plans that count, with what they are for."""
CLOSED = "(select budget_id from promotion_plans where state = 'closed')"
"""The budgets of plans whose result is frozen: nothing draws on them any more."""


def all_locked(tx: Tx, plan_ids: Collection[UUID]) -> dict[UUID, Plan]:
    """The plans that there are, locked in the order of their ids."""
    rows = tx.conn.execute(
        select(*(plans.c[each.name] for each in fields(Plan)))
        .where(plans.c.plan_id == any_(literal(sorted(plan_ids), ARRAY(Uuid))))
        .order_by(plans.c.plan_id)
        .with_for_update()
    )
    return {row.plan_id: Plan(**row._asdict()) for row in rows}


def hold(tx: Tx, code: str) -> None:
    """Keep the plan of this code from being closed until the transaction ends."""
    tx.conn.execute(text("select 1 from promotion_plans where code = :code for share"), {"code": code})


def add(tx: Tx, plan_id: UUID, forecast: Forecast, subject_hash: str | None) -> bool:
    """A proposed plan; false when another one has its code."""
    added = tx.conn.execute(
        text(
            "insert into promotion_plans (plan_id, code, branch_id, first_day, last_day, products,"
            " baseline_net_fen, baseline_margin_fen, uplift_bp, budget_fen, state, subject_hash, prepared_by,"
            " prepared_at) values (:plan_id, :code, :branch_id, :first_day, :last_day, :products,"
            " :baseline_net_fen, :baseline_margin_fen, :uplift_bp, :budget_fen, 'proposed', :hash, :person, :now)"
            " on conflict (code) do nothing"
        ),
        {**asdict(forecast), "plan_id": plan_id, "hash": subject_hash, "person": tx.actor.id, "now": tx.now},
    )
    return bool(added.rowcount)


def change(tx: Tx, plan: Plan) -> None:
    """Write the plan's state, with its budget and its result."""
    tx.conn.execute(
        update(plans)
        .where(plans.c.plan_id == plan.plan_id)
        .values(
            state=plan.state,
            budget_id=plan.budget_id,
            net_fen=plan.net_fen,
            margin_fen=plan.margin_fen,
            spent_fen=plan.spent_fen,
            roi_bp=plan.roi_bp,
        )
    )
