"""The statements that write, read and empty the log of changes. Source: C34"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, insert, text, update

from customers.change_log.tables import customer_changes
from shared.transaction import Tx


def add(
    tx: Tx, customer_id: UUID, action: str, fields: Sequence[str], *, personal: bytes | None = None
) -> None:
    """Keep that these fields changed; what they were and became is sealed under the subject's key. Source: C34"""
    tx.conn.execute(
        insert(customer_changes).values(
            customer_id=customer_id,
            at=tx.now,
            actor=tx.actor.id,
            action=action,
            fields=sorted(fields),
            personal=personal,
        )
    )


def erase(conn: Connection, customer_id: UUID) -> None:
    """Empty the sealed values of the change log; which fields changed when stays. Source: C34"""
    conn.execute(
        update(customer_changes).where(customer_changes.c.customer_id == customer_id).values(personal=None)
    )


def rows_of(conn: Connection, customer_id: UUID, *, before: int | None, limit: int) -> Sequence[Any]:
    """The change log of a customer without values, newest first. Source: C34"""
    return conn.execute(
        text(
            "select id, at, actor, action, fields from customer_changes"
            " where customer_id = :customer_id and id < :before order by id desc limit :limit"
        ),
        {"customer_id": customer_id, "before": before or 2**63 - 1, "limit": limit},
    ).all()
