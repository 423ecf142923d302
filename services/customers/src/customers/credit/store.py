"""The rows of the credit archive. Whoever changes them has locked the customer."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, exists, insert, select, update

from customers import master
from customers.credit.model import Credit
from customers.credit.tables import credits_


def of_customer(conn: Connection, customer_id: UUID) -> list[Credit]:
    """All that was ever proposed or took effect, oldest first."""
    rows = conn.execute(
        select(credits_).where(credits_.c.customer_id == customer_id).order_by(credits_.c.credit_id)
    ).mappings()
    return [Credit(**row) for row in rows]


def add(conn: Connection, credit: Credit) -> None:
    conn.execute(insert(credits_).values(asdict(credit)))


def change(conn: Connection, credit_id: UUID, **values: Any) -> None:
    conn.execute(update(credits_).where(credits_.c.credit_id == credit_id).values(**values))


def page(conn: Connection, customer_id: UUID, *, before: UUID | None, limit: int) -> list[Credit]:
    """The archive, newest first."""
    query = select(credits_).where(credits_.c.customer_id == customer_id)
    if before is not None:
        query = query.where(credits_.c.credit_id < before)
    rows = conn.execute(query.order_by(credits_.c.credit_id.desc()).limit(limit)).mappings()
    return [Credit(**row) for row in rows]


def of_all(
    conn: Connection,
    *,
    is_proposed: bool,
    branches: Sequence[str] | None,
    ending_by: date | None,
    after: UUID | None,
    limit: int,
) -> list[Credit]:
    """The newest version, or the open proposal, of each customer of these branches (None: all), by their ids.

    Those ending by a day alone if one is given. A customer has one open proposal at most.
    """
    later = credits_.alias()
    has_later = exists().where(
        later.c.customer_id == credits_.c.customer_id, later.c.version > credits_.c.version
    )
    query = select(credits_).where(credits_.c.version.is_not(None), ~has_later)
    if is_proposed:
        query = select(credits_).where(credits_.c.state == "proposed")
    if after is not None:
        query = query.where(credits_.c.customer_id > after)
    if branches is not None:
        query = query.where(credits_.c.customer_id.in_(master.of_branches(branches)))
    if ending_by is not None:
        query = query.where(credits_.c.valid_until <= ending_by)
    rows = conn.execute(query.order_by(credits_.c.customer_id).limit(limit)).mappings()
    return [Credit(**row) for row in rows]
