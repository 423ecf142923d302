"""The statements that change contacts, and what is read of them."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, insert, select, update

from customers.contacts.rules import ContactNotFound
from customers.contacts.tables import contacts
from shared.languages import Text


def add_row(conn: Connection, row: dict[str, Any]) -> None:
    conn.execute(insert(contacts).values(**row))


def lock(conn: Connection, customer_id: UUID, contact_id: UUID) -> Any:
    """One contact of an institution, held until this transaction ends. Raises ContactNotFound."""
    row = conn.execute(
        select(contacts)
        .where(contacts.c.id == contact_id, contacts.c.customer_id == customer_id)
        .with_for_update()
    ).one_or_none()
    if row is None:
        raise ContactNotFound(
            Text("no contact {contact_id} of this customer", contact_id=contact_id),
            contact_id=str(contact_id),
        )
    return row


def erase(conn: Connection, contact_id: UUID) -> None:
    conn.execute(update(contacts).where(contacts.c.id == contact_id).values(personal=None))


def rows_of(conn: Connection, customer_id: UUID) -> Sequence[Any]:
    return conn.execute(
        select(contacts).where(contacts.c.customer_id == customer_id).order_by(contacts.c.id)
    ).all()
