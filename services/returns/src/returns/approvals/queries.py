"""What is read of the decisions on a notice."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import RowMapping, select

from returns.approvals.tables import return_decisions
from shared.approvals import decisions_on
from shared.transaction import Tx


def decisions_of(tx: Tx, notice_id: UUID) -> Sequence[RowMapping]:
    """In the order in which they were made."""
    found = select(return_decisions).where(return_decisions.c.notice_id == notice_id)
    return tx.conn.execute(found.order_by(return_decisions.c.at)).mappings().all()


def deciders_of(tx: Tx, notice_id: UUID) -> set[str]:
    """The persons who approved or rejected it."""
    return {each.person for each in decisions_on(tx.conn, return_decisions, {"notice_id": notice_id})}
