"""Promotion plans as they are read."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select

from finance.promotion_plans.tables import plans
from shared.paging import page_of
from shared.transaction import Tx


def plan_of(tx: Tx, plan_id: UUID) -> dict[str, Any] | None:
    row = tx.conn.execute(select(plans).where(plans.c.plan_id == plan_id)).mappings().one_or_none()
    return None if row is None else dict(row)


def listed(tx: Tx, args: Mapping[str, Any]) -> dict[str, Any]:
    """Plans by id. Raises ForeignBranch."""
    return page_of(
        tx.conn,
        "select * from promotion_plans",
        {
            "branch_id = any(:branches)": tx.actor.branch_filter(args["branch_id"]),
            "state = :state": args["state"],
        },
        {"plan_id": UUID},
        args,
    )
