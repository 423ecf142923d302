"""Every statement that changes the customer master, and what is read to do so."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from psycopg import Cursor
from sqlalchemy import Connection, Table, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert

from customers import settings
from customers.domain.customer import ContactNotFound, CustomerNotFound
from customers.domain.licence import Licence, LicenceNotFound
from customers.domain.permission import Permission, Standing
from customers.domain.vault import SubjectKey, Vault
from customers.tables import (
    approval_decisions,
    contacts,
    customer_changes,
    customers,
    licences,
    subject_keys,
    trade_permissions,
)
from shared.approvals import Decision, decision_of

PATIENT_COLUMNS = (
    ("id", "uuid"),
    ("code", "text"),
    ("kind", "text"),
    ("branch_id", "text"),
    ("status", "text"),
    ("source_channel", "text"),
    ("owner_id", "text"),
    ("class", "text"),
    ("personal", "bytea"),
    ("phone_index", "bytea"),
    ("content_mac", "bytea"),
    ("last_verified_on", "date"),
    ("completeness_bp", "int"),
    ("registered_on", "date"),
    ("registered_by", "text"),
    ("registered_at", "timestamptz"),
)
_NAMES = ", ".join(name for name, _ in PATIENT_COLUMNS)
# References contain no comma (schemas.CODE), so they travel as one text: unnest flattens arrays of arrays.
_ADD_PATIENTS = f"""
    insert into customers ({_NAMES}, consent_refs)
    select {_NAMES}, string_to_array(refs, ',')
    from unnest({", ".join(f"%s::{kind}[]" for _, kind in PATIENT_COLUMNS)}, %s::text[])
        with ordinality as u({_NAMES}, refs, n)
    order by n
    on conflict do nothing
    returning code
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPermission:
    permission: Permission
    version: int


def add_subject_key(conn: Connection, vault: Vault, subject_id: UUID, now: datetime) -> SubjectKey:
    """Make the data key of a new subject and return it opened."""
    wrapped, key = vault.new_key(subject_id)
    conn.execute(
        insert(subject_keys).values(
            subject_id=subject_id, wrapped=wrapped, master_key_id=vault.master_key_id, created_at=now
        )
    )
    return key


def destroy_subject_keys(conn: Connection, subject_ids: Sequence[UUID], *, by: str, now: datetime) -> None:
    """Forget the data keys: whatever they sealed, wherever a copy of it lies, can no longer be read here."""
    conn.execute(
        update(subject_keys)
        .where(subject_keys.c.subject_id.in_(subject_ids), subject_keys.c.wrapped.is_not(None))
        .values(wrapped=None, destroyed_at=now, destroyed_by=by)
    )


def opened_keys(conn: Connection, vault: Vault, subject_ids: Sequence[UUID]) -> dict[UUID, SubjectKey]:
    """The data keys of those subjects that have not been erased."""
    if not subject_ids:
        return {}
    rows = conn.execute(
        select(subject_keys.c.subject_id, subject_keys.c.wrapped).where(
            subject_keys.c.subject_id.in_(subject_ids), subject_keys.c.wrapped.is_not(None)
        )
    )
    return {row.subject_id: vault.open_key(row.subject_id, bytes(row.wrapped)) for row in rows}


def customer_row(conn: Connection, customer_id: UUID) -> Any:
    """Raises CustomerNotFound."""
    row = conn.execute(select(customers).where(customers.c.id == customer_id)).one_or_none()
    if row is None:
        raise CustomerNotFound(f"no customer {customer_id}", customer_id=str(customer_id))
    return row


def add_customer(conn: Connection, row: dict[str, Any]) -> bool:
    """Insert a customer; False when its code or its unified social credit code is taken."""
    done = conn.execute(upsert(customers).values(**row).on_conflict_do_nothing().returning(customers.c.id))
    return done.scalar() is not None


def add_patients(cursor: Cursor[Any], rows: Sequence[dict[str, Any]]) -> set[str]:
    """Insert many patients by array, in the order given; return the codes of those that were new.

    An upload at the same time that has a code first is waited for and wins.
    """
    columns = [[row.get(name) for row in rows] for name, _ in PATIENT_COLUMNS]
    columns.append([",".join(row["consent_refs"]) for row in rows])
    return {row[0] for row in cursor.execute(_ADD_PATIENTS, columns)}


def add_subject_keys(cursor: Cursor[Any], rows: Sequence[tuple[UUID, bytes, str, datetime]]) -> None:
    """Store many wrapped data keys: subject, wrapped key, master key id, instant."""
    with cursor.copy("copy subject_keys (subject_id, wrapped, master_key_id, created_at) from stdin") as copy:
        for row in rows:
            copy.write_row(row)


def forgotten_code(vault: Vault, code: str) -> str:
    """What stays of the external code of a forgotten person: enough to know it again, not to read it."""
    return "~" + vault.blind_index("code", code).hex()


def forgotten_codes(conn: Connection, vault: Vault, codes: Sequence[str]) -> set[str]:
    """Those codes whose customers were anonymised: a file sent again must not bring them back."""
    marks = {forgotten_code(vault, code): code for code in codes}
    found = conn.execute(text("select code from customers where code = any(:marks)"), {"marks": list(marks)})
    return {marks[mark] for mark in found.scalars()}


def add_contact(conn: Connection, row: dict[str, Any]) -> None:
    conn.execute(insert(contacts).values(**row))


def lock_contact(conn: Connection, customer_id: UUID, contact_id: UUID) -> Any:
    """One contact of an institution, held until this transaction ends. Raises ContactNotFound."""
    row = conn.execute(
        select(contacts)
        .where(contacts.c.id == contact_id, contacts.c.customer_id == customer_id)
        .with_for_update()
    ).one_or_none()
    if row is None:
        raise ContactNotFound(f"no contact {contact_id} of this customer", contact_id=str(contact_id))
    return row


def erase_contact(conn: Connection, contact_id: UUID) -> None:
    conn.execute(update(contacts).where(contacts.c.id == contact_id).values(personal=None))


def lock_customer(conn: Connection, customer_id: UUID) -> Any:
    """The customer's row, held against other writers until this transaction ends. Raises CustomerNotFound."""
    row = conn.execute(select(customers).where(customers.c.id == customer_id).with_for_update()).one_or_none()
    if row is None:
        raise CustomerNotFound(f"no customer {customer_id}", customer_id=str(customer_id))
    return row


def change_customer(conn: Connection, customer_id: UUID, **values: Any) -> None:
    """Set columns of a customer the caller has locked."""
    conn.execute(update(customers).where(customers.c.id == customer_id).values(**values))


def add_licence(conn: Connection, row: dict[str, Any]) -> None:
    conn.execute(insert(licences).values(**row))


def licence_rows(conn: Connection, customer_id: UUID) -> Sequence[Any]:
    """Every licence of a customer whose row the caller has locked, oldest first."""
    return conn.execute(
        select(licences).where(licences.c.customer_id == customer_id).order_by(licences.c.id)
    ).all()


def licence_of(row: Any) -> Licence:
    return Licence(
        id=row.id,
        type=row.type,
        state=row.state,
        scope=tuple(row.scope),
        valid_from=row.valid_from,
        valid_until=row.valid_until,
    )


def standing_of(conn: Connection, customer: Any, on: date) -> Standing:
    return Standing(
        status=customer.status,
        suspended_for=customer.suspended_for,
        mandatory=settings.mandatory_licences(customer.kind, on),
        licences=[licence_of(row) for row in licence_rows(conn, customer.id)],
    )


def customer_of_licence(conn: Connection, licence_id: UUID) -> UUID:
    """Whose licence it is. Raises LicenceNotFound."""
    found = conn.execute(select(licences.c.customer_id).where(licences.c.id == licence_id)).scalar()
    if found is None:
        raise LicenceNotFound(f"no licence {licence_id}", licence_id=str(licence_id))
    return UUID(str(found))


def change_licence(conn: Connection, licence_id: UUID, **values: Any) -> None:
    conn.execute(update(licences).where(licences.c.id == licence_id).values(**values))


def add_decision(conn: Connection, decision_id: UUID, customer_id: UUID, decision: Decision) -> None:
    conn.execute(
        insert(approval_decisions).values(
            id=decision_id,
            customer_id=customer_id,
            role=decision.role,
            person=decision.person,
            approved=decision.approved,
            reason=decision.reason,
            at=decision.at,
            subject_hash=decision.subject_hash,
        )
    )


def decisions_on(conn: Connection, customer_id: UUID) -> list[Decision]:
    """Every decision ever taken on the customer, oldest first; the subject hash says which still count."""
    rows = conn.execute(
        select(approval_decisions)
        .where(approval_decisions.c.customer_id == customer_id)
        .order_by(approval_decisions.c.id)
    )
    return [decision_of(row) for row in rows]


def stored_permission(conn: Connection, customer_id: UUID) -> StoredPermission | None:
    row = conn.execute(
        select(trade_permissions).where(trade_permissions.c.customer_id == customer_id)
    ).one_or_none()
    if row is None:
        return None
    return StoredPermission(
        permission=Permission(
            allowed=row.allowed,
            categories=tuple(row.categories),
            reasons=tuple(row.reasons),
            valid_until=row.valid_until,
        ),
        version=row.permission_version,
    )


def save_permission(
    conn: Connection,
    customer_id: UUID,
    permission: Permission,
    *,
    version: int,
    changes_on: date | None,
    now: datetime,
) -> None:
    values = {
        "permission_version": version,
        "allowed": permission.allowed,
        "categories": list(permission.categories),
        "reasons": list(permission.reasons),
        "valid_until": permission.valid_until,
        "changes_on": changes_on,
        "computed_at": now,
    }
    conn.execute(
        upsert(trade_permissions)
        .values(customer_id=customer_id, **values)
        .on_conflict_do_update(index_elements=["customer_id"], set_=values)
    )


def lock_due_customers(conn: Connection, today: date, limit: int) -> list[UUID]:
    """Customers whose permission may change today, at most `limit`; those another scheduler holds are left out."""
    rows = conn.execute(
        text(
            "select c.id from customers c join trade_permissions p on p.customer_id = c.id"
            " where p.changes_on <= :today order by p.changes_on, c.id limit :limit"
            " for update of c skip locked"
        ),
        {"today": today, "limit": limit},
    )
    return [UUID(str(row.id)) for row in rows]


def log_change(
    conn: Connection,
    customer_id: UUID,
    *,
    at: datetime,
    actor: str,
    action: str,
    fields: Sequence[str],
    personal: bytes | None,
) -> None:
    """Keep that these fields changed; what they were and became is sealed under the subject's key. Source: C34"""
    conn.execute(
        insert(customer_changes).values(
            customer_id=customer_id,
            at=at,
            actor=actor,
            action=action,
            fields=sorted(fields),
            personal=personal,
        )
    )


def erase_change_log(conn: Connection, customer_id: UUID) -> None:
    """Empty the sealed values of the change log; which fields changed when stays. Source: C34"""
    conn.execute(
        update(customer_changes).where(customer_changes.c.customer_id == customer_id).values(personal=None)
    )


# --- decisions on credits and offers ------------------------------------------------------------------


def decisions_of(conn: Connection, table: Table, ids: Sequence[UUID]) -> dict[UUID, list[Decision]]:
    """The decisions on each, oldest first; the first column of `table` says on which."""
    key = next(iter(table.c))
    found: dict[UUID, list[Decision]] = {each: [] for each in ids}
    for row in conn.execute(select(table).where(key.in_(ids)).order_by(table.c.at, table.c.role)):
        found[row[0]].append(decision_of(row))
    return found


def add_decision_of(conn: Connection, table: Table, subject_id: UUID, decision: Decision) -> None:
    key = next(iter(table.c))
    conn.execute(insert(table).values({key.name: subject_id, **asdict(decision)}))
