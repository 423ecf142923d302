"""What is read of customers. Whoever calls has checked the branch, or passes the branches to show."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select

from customers.master.tables import customers

LOOKUP_ROWS_MAX = 20


def customers_page(
    conn: Connection,
    *,
    branches: Sequence[str] | None,
    kind: str | None,
    status: str | None,
    after: UUID | None,
    limit: int,
) -> Sequence[Any]:
    """Customers of these branches (None: all) in the order of their ids, which is that of registration."""
    query = select(customers).order_by(customers.c.id).limit(limit)
    if branches is not None:
        query = query.where(customers.c.branch_id.in_(branches))
    if kind is not None:
        query = query.where(customers.c.kind == kind)
    if status is not None:
        query = query.where(customers.c.status == status)
    if after is not None:
        query = query.where(customers.c.id > after)
    return conn.execute(query).all()


def by_phone_index(conn: Connection, index: bytes, branches: Sequence[str] | None) -> Sequence[Any]:
    """At most LOOKUP_ROWS_MAX customers of these branches with the telephone number behind the blind index."""
    query = select(customers).where(customers.c.phone_index == index).order_by(customers.c.id)
    if branches is not None:
        query = query.where(customers.c.branch_id.in_(branches))
    return conn.execute(query.limit(LOOKUP_ROWS_MAX)).all()
