"""The rows of the credit archive. Whoever changes them has locked the customer."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, exists, insert, select, update

from customers.tables import credits_, customers


@dataclass(frozen=True, slots=True, kw_only=True)
class Credit:
    """A proposal, and once in effect a version; money in fen. `valid_until` is the last day, None: no end set."""

    credit_id: UUID
    customer_id: UUID
    state: str
    base_version: int
    version: int | None
    limit_fen: int
    overdue_tolerance_fen: int
    on_hold: bool
    valid_until: date | None
    reason: str
    requested_by: str
    requested_at: datetime
    effective_at: datetime | None
    subject_hash: str


def of_customer(conn: Connection, customer_id: UUID) -> list[Credit]:
    """All that was ever proposed or took effect, oldest first."""
    rows = conn.execute(
        select(credits_).where(credits_.c.customer_id == customer_id).order_by(credits_.c.credit_id)
    ).mappings()
    return [Credit(**row) for row in rows]


def current(archive: Sequence[Credit]) -> Credit | None:
    """The newest version in effect."""
    return max(
        (each for each in archive if each.version is not None),
        key=lambda each: each.version or 0,
        default=None,
    )


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
        mine = select(customers.c.id).where(customers.c.branch_id.in_(branches))
        query = query.where(credits_.c.customer_id.in_(mine))
    if ending_by is not None:
        query = query.where(credits_.c.valid_until <= ending_by)
    rows = conn.execute(query.order_by(credits_.c.customer_id).limit(limit)).mappings()
    return [Credit(**row) for row in rows]
