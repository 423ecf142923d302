"""Show personal data to who may see it, with a trace; and forget a person for good.

Source: C2, C4, I36, architecture decision 8
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from customers import change_log, contacts, data_keys, master
from customers.data_keys import Vault
from customers.kernel.customer import CustomerAnonymised, NotAPatient
from customers.privacy import events
from customers.privacy.rules import PURPOSES, ContactAnonymised, PurposeNotAdmitted
from shared import audit, outbox
from shared.clock import business_date
from shared.languages import Text
from shared.transaction import Tx


def disclose(tx: Tx, vault: Vault, customer_id: UUID, *, purpose: str, fields: list[str]) -> dict[str, Any]:
    """The named personal fields in clear. The audit row is written in the same transaction as the read.

    Raises PurposeNotAdmitted, CustomerAnonymised, NotAPatient.
    """
    customer = _admitted_to(tx, customer_id, purpose)
    if customer.kind != "patient":
        raise NotAPatient("an institution's contacts are disclosed one by one")
    shown = _in_clear(tx, vault, customer_id, customer.personal, fields)
    if shown is None:
        raise CustomerAnonymised("this customer was anonymised")
    audit.record(tx, f"customer.disclosed.{purpose}", str(customer_id), after=sorted(fields))
    return {"customer_id": customer_id, "purpose": purpose, "personal": shown}


def disclose_contact(
    tx: Tx, vault: Vault, customer_id: UUID, contact_id: UUID, *, purpose: str, fields: list[str]
) -> dict[str, Any]:
    """As `disclose`, of one contact of an institution. Raises ContactNotFound, ContactAnonymised."""
    _admitted_to(tx, customer_id, purpose)
    contact = contacts.lock(tx.conn, customer_id, contact_id)
    shown = _in_clear(tx, vault, contact_id, contact.personal, fields)
    if shown is None:
        raise ContactAnonymised("this contact was anonymised")
    audit.record(tx, f"contact.disclosed.{purpose}", str(contact_id), after=sorted(fields))
    return {"customer_id": customer_id, "contact_id": contact_id, "purpose": purpose, "personal": shown}


def _in_clear(
    tx: Tx, vault: Vault, subject_id: UUID, sealed: bytes, fields: Sequence[str]
) -> dict[str, object] | None:
    """The named fields of a sealed person; None when its key was destroyed."""
    key = data_keys.opened(tx.conn, vault, [subject_id]).get(subject_id)
    if key is None:
        return None
    person = key.open(bytes(sealed))
    return {field: person.get(field) for field in fields}


def _admitted_to(tx: Tx, customer_id: UUID, purpose: str) -> Any:
    customer = master.row_of(tx.conn, customer_id)
    tx.actor.require_branch(customer.branch_id)
    if not tx.actor.roles & PURPOSES[purpose]:
        raise PurposeNotAdmitted(
            Text("for this purpose one of: {purposes}", purposes=", ".join(sorted(PURPOSES[purpose]))),
            purpose=purpose,
        )
    return customer


def anonymise_contact(tx: Tx, customer_id: UUID, contact_id: UUID) -> dict[str, Any]:
    """Destroy the key of one person at an institution. Raises ContactNotFound, ContactAnonymised."""
    customer = master.lock(tx.conn, customer_id)
    tx.actor.require_branch(customer.branch_id)
    contact = contacts.lock(tx.conn, customer_id, contact_id)
    if contact.personal is None:
        raise ContactAnonymised("this contact was anonymised before")
    contacts.erase(tx.conn, contact_id)
    data_keys.destroy(tx.conn, [contact_id], by=tx.actor.id, now=tx.now)
    change_log.add(tx, customer_id, "contact_anonymised", ["contacts"])
    audit.record(tx, "contact.anonymised", str(contact_id))
    return {"customer_id": customer_id, "contact_id": contact_id, "status": "anonymised"}


def anonymise(tx: Tx, vault: Vault, customer_id: UUID) -> dict[str, Any]:
    """Destroy the keys of the person and of what was logged about it; the record stays as a tombstone.

    Sales, points and other records keep the id, which then leads to nobody. Raises CustomerAnonymised (a
    second time changes nothing), NotAPatient.
    """
    customer = master.lock(tx.conn, customer_id)
    tx.actor.require_branch(customer.branch_id)
    if customer.kind != "patient":
        raise NotAPatient("an institution is no person")
    if customer.status == "anonymised":
        raise CustomerAnonymised("this customer was anonymised before")
    change_log.erase(tx.conn, customer_id)
    data_keys.destroy(tx.conn, [customer_id], by=tx.actor.id, now=tx.now)
    version = customer.version + 1
    master.change(
        tx.conn,
        customer_id,
        status="anonymised",
        personal=None,
        phone_index=None,
        content_mac=None,
        code=data_keys.forgotten_code(vault, customer.code) if customer.code else None,
        consent_refs=[],
        version=version,
    )
    change_log.add(tx, customer_id, "anonymised", ["name", "phone", "id_number", "birthday"])
    outbox.append(
        tx, events.customer_anonymised(customer_id=customer_id, version=version, on=business_date(tx.now))
    )
    audit.record(tx, "customer.anonymised", str(customer_id))
    return {"customer_id": customer_id, "status": "anonymised"}
