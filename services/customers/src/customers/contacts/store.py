"""The statements that change contacts, and what is read of them."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, insert, select, update

from customers.contacts.model import Contact
from customers.contacts.rules import ContactNotFound
from customers.contacts.tables import contacts
from shared.clock import business_date
from shared.languages import Text
from shared.transaction import Tx


def add_row(tx: Tx, contact_id: UUID, customer_id: UUID, contact: Contact, sealed: bytes) -> None:
    """Store a contact with what is personal of it, sealed; verified today."""
    tx.conn.execute(
        insert(contacts).values(
            id=contact_id,
            customer_id=customer_id,
            hcp=contact.hcp,
            consent_refs=contact.consent_refs,
            personal=sealed,
            verified_on=business_date(tx.now),
        )
    )


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
