"""The rows of promotion plans, and what others ask of them."""

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, any_, literal, select, text, update

from finance.promotion_plans.tables import plans
from shared.paging import decode_cursor, page
from shared.transaction import Tx

APPROVED = (
    "(select plan_id, branch_id, first_day, last_day, products from promotion_plans where state = 'approved')"
)
"""Plans that count, with what they are for."""
CLOSED = "(select budget_id from promotion_plans where state = 'closed')"
"""The budgets of plans whose result is frozen: nothing draws on them any more."""


def all_locked(tx: Tx, plan_ids: Collection[UUID]) -> dict[UUID, dict[str, Any]]:
    """The plans that there are, locked in the order of their ids."""
    rows = tx.conn.execute(
        select(plans)
        .where(plans.c.plan_id == any_(literal(sorted(plan_ids), ARRAY(Uuid))))
        .order_by(plans.c.plan_id)
        .with_for_update()
    ).mappings()
    return {row["plan_id"]: dict(row) for row in rows}


def hold(tx: Tx, code: str) -> None:
    """Keep the plan of this code from being closed until the transaction ends."""
    tx.conn.execute(text("select 1 from promotion_plans where code = :code for share"), {"code": code})


def add(tx: Tx, plan_id: UUID, row: Mapping[str, Any], subject_hash: str | None) -> bool:
    """A proposed plan; false when another one has its code."""
    added = tx.conn.execute(
        text(
            "insert into promotion_plans (plan_id, code, branch_id, first_day, last_day, products,"
            " baseline_net_fen, baseline_margin_fen, uplift_bp, budget_fen, state, subject_hash, prepared_by,"
            " prepared_at) values (:plan_id, :code, :branch_id, :first_day, :last_day, :products,"
            " :baseline_net_fen, :baseline_margin_fen, :uplift_bp, :budget_fen, 'proposed', :hash, :person, :now)"
            " on conflict (code) do nothing"
        ),
        {**row, "plan_id": plan_id, "hash": subject_hash, "person": tx.actor.id, "now": tx.now},
    )
    return bool(added.rowcount)


def change(tx: Tx, plan_id: UUID, values: Mapping[str, Any]) -> None:
    tx.conn.execute(update(plans).where(plans.c.plan_id == plan_id).values(**values))


def plan_of(tx: Tx, plan_id: UUID) -> dict[str, Any] | None:
    row = tx.conn.execute(select(plans).where(plans.c.plan_id == plan_id)).mappings().one_or_none()
    return None if row is None else dict(row)


def listed(tx: Tx, args: Mapping[str, Any]) -> dict[str, Any]:
    """Plans by id. Raises ForeignBranch."""
    (after,) = decode_cursor(args["cursor"], UUID)
    rows = tx.conn.execute(
        text(
            "select * from promotion_plans where (cast(:branches as text[]) is null or branch_id = any(:branches))"
            " and (cast(:state as text) is null or state = :state)"
            " and (cast(:after as uuid) is null or plan_id > cast(:after as uuid))"
            " order by plan_id limit :limit"
        ),
        {
            "branches": tx.actor.branch_filter(args["branch_id"]),
            "state": args["state"],
            "after": after,
            "limit": args["limit"] + 1,
        },
    ).mappings()
    return page(rows, args["limit"], "plan_id")
