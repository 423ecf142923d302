"""What is read of redemptions."""

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text

from customers.domain.redemption import RedemptionNotFound
from shared.paging import page_of
from shared.transaction import Tx


def redemption(tx: Tx, redemption_id: UUID) -> dict[str, Any]:
    """One redemption with its lots. Raises RedemptionNotFound, ForeignBranch."""
    row = tx.conn.execute(
        text("select * from point_redemptions where redemption_id = :id"), {"id": redemption_id}
    ).one_or_none()
    if row is None:
        raise RedemptionNotFound(f"no redemption {redemption_id}", redemption_id=str(redemption_id))
    tx.actor.require_branch(row.branch_id)
    return {**row._mapping, "lots": lots_of(tx.conn, redemption_id)}  # noqa: SLF001 - SQLAlchemy's public name


def redemptions(tx: Tx, args: Mapping[str, Any]) -> dict[str, Any]:
    """Redemptions by the day the points were set aside; keyset by day and id. Raises ForeignBranch."""
    return page_of(
        tx.conn,
        "select r.* from point_redemptions r",
        {
            "r.branch_id = any(:branches)": tx.actor.branch_filter(args["branch_id"]),
            "r.customer_id = :customer_id": args["customer_id"] and str(args["customer_id"]),
            "r.receipt_number = :receipt_number": args["receipt_number"],
            "r.state = :state": args["state"],
            "r.redeemed_on >= :first": args["first"],
            "r.redeemed_on <= :until": args["until"],
        },
        {"r.redeemed_on": date, "r.redemption_id": UUID},
        args,
    )


def lots_of(conn: Connection, redemption_id: UUID) -> list[dict[str, Any]]:
    """What a redemption took, the first consumed first, and what of it went back."""
    rows = conn.execute(
        text(
            "select sale_id, points, given_back from point_redemption_lots where redemption_id = :id order by no"
        ),
        {"id": redemption_id},
    )
    return [dict(row) for row in rows.mappings()]
