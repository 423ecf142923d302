"""The statements that change stops of sale; all within the caller's transaction."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, insert, select, update

from returns.stop_sales.tables import stop_sale_liftings, stop_sales
from shared.approvals import Decision
from shared.transaction import Tx


def add_stop_sale(tx: Tx, row: Mapping[str, Any]) -> None:
    tx.conn.execute(insert(stop_sales).values(row))


def lock_stop_sale(tx: Tx, stop_id: UUID) -> RowMapping | None:
    """The stop, locked until the transaction ends."""
    wanted = select(stop_sales).where(stop_sales.c.id == stop_id).with_for_update()
    return tx.conn.execute(wanted).mappings().one_or_none()


def lift_stop_sale(tx: Tx, stop_id: UUID) -> None:
    tx.conn.execute(
        update(stop_sales).where(stop_sales.c.id == stop_id).values(state="lifted", lifted_at=tx.now)
    )


def pending_lifting(tx: Tx, stop_id: UUID) -> RowMapping | None:
    """The request being decided, of a stop the caller has locked."""
    wanted = select(stop_sale_liftings).where(
        stop_sale_liftings.c.stop_sale_id == stop_id, stop_sale_liftings.c.state == "pending"
    )
    return tx.conn.execute(wanted).mappings().one_or_none()


def add_lifting(tx: Tx, row: Mapping[str, Any]) -> None:
    tx.conn.execute(insert(stop_sale_liftings).values(row))


def end_lifting(tx: Tx, lifting_id: UUID, state: str, decision: Decision) -> None:
    """A request holds how it ended, for lists and for whoever reads it; what was decided on lies with the decision."""
    tx.conn.execute(
        update(stop_sale_liftings)
        .where(stop_sale_liftings.c.id == lifting_id)
        .values(
            state=state,
            decided_by=decision.person,
            decided_at=decision.at,
            decided_reason=decision.reason,
        )
    )
