"""What is read of redemptions."""

from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text

from customers.domain.redemption import RedemptionNotFound
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


def lots_of(conn: Connection, redemption_id: UUID) -> list[dict[str, Any]]:
    """What a redemption took, the first consumed first, and what of it went back."""
    rows = conn.execute(
        text(
            "select sale_id, points, given_back from point_redemption_lots where redemption_id = :id order by no"
        ),
        {"id": redemption_id},
    )
    return [dict(row) for row in rows.mappings()]
