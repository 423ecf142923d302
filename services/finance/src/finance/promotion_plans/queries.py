"""Promotion plans as they are read."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select, text

from finance.promotion_plans.tables import plans
from shared.paging import decode_cursor, page
from shared.transaction import Tx


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
