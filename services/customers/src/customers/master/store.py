"""The statements that change a customer's row, and what is read to do so."""

from collections.abc import Collection, Sequence
from dataclasses import fields
from typing import Any
from uuid import UUID

from psycopg import Cursor
from sqlalchemy import Connection, Select, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert

from customers import data_keys
from customers.data_keys import Vault
from customers.kernel.customer import CustomerNotFound, NewCustomer, NotAnInstitution
from customers.master.tables import customers
from shared.languages import Text
from shared.transaction import Tx

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


def row_of(conn: Connection, customer_id: UUID) -> Any:
    """Raises CustomerNotFound."""
    row = conn.execute(select(customers).where(customers.c.id == customer_id)).one_or_none()
    if row is None:
        raise CustomerNotFound(
            Text("no customer {customer_id}", customer_id=customer_id), customer_id=str(customer_id)
        )
    return row


def _column(field: str) -> str:
    return "class" if field == "customer_class" else field


def add_customer(conn: Connection, customer: NewCustomer) -> str | None:
    """Insert a customer; the column whose value another customer has, `uscc` before `code`, when it is not new."""
    row = {
        _column(each.name): value
        for each in fields(customer)
        if (value := getattr(customer, each.name)) is not None
    }
    done = conn.execute(upsert(customers).values(row).on_conflict_do_nothing().returning(customers.c.id))
    if done.scalar() is not None:
        return None
    taken = conn.execute(text("select 1 from customers where uscc = :uscc"), {"uscc": customer.uscc}).scalar()
    return "uscc" if taken else "code"


def add_patients(cursor: Cursor[Any], patients: Sequence[NewCustomer]) -> set[str]:
    """Insert many patients by array, in the order given; return the codes of those that were new.

    An upload at the same time that has a code first is waited for and wins.
    """
    columns = [
        [getattr(each, "customer_class" if name == "class" else name) for each in patients]
        for name, _ in PATIENT_COLUMNS
    ]
    columns.append([",".join(each.consent_refs) for each in patients])
    return {row[0] for row in cursor.execute(_ADD_PATIENTS, columns)}


def lock(conn: Connection, customer_id: UUID) -> Any:
    """The customer's row, held against other writers until this transaction ends. Raises CustomerNotFound."""
    row = conn.execute(select(customers).where(customers.c.id == customer_id).with_for_update()).one_or_none()
    if row is None:
        raise CustomerNotFound(
            Text("no customer {customer_id}", customer_id=customer_id), customer_id=str(customer_id)
        )
    return row


def change(conn: Connection, customer_id: UUID, **values: Any) -> None:
    """Set columns of a customer the caller has locked."""
    conn.execute(update(customers).where(customers.c.id == customer_id).values(**values))


_INSTITUTIONS = "select id::text from customers where id = any(%s::uuid[]) and kind <> 'patient'"


def institutions_among(cursor: Cursor[Any], customer_ids: Collection[str]) -> set[str]:
    """Those of the ids that are registered institutions. An id that is no UUID is nobody of ours."""
    ours = [each for each in customer_ids if _is_uuid(each)]
    if not ours:
        return set()
    found = {row[0] for row in cursor.execute(_INSTITUTIONS, (ours,))}
    return {each for each in ours if str(UUID(each)) in found}


def _is_uuid(value: str) -> bool:
    try:
        UUID(value)
    except ValueError:
        return False
    return True


def known_by_code(
    conn: Connection, vault: Vault, codes: Sequence[str]
) -> tuple[dict[str, tuple[UUID, bytes | None]], set[str]]:
    """Of these codes: id and content MAC of the customers that have one, and the codes of those anonymised.

    A file sent again must not bring the latter back.
    """
    if not codes:
        return {}, set()
    marks = {data_keys.forgotten_code(vault, code): code for code in codes}
    found = conn.execute(
        text("select id, code, content_mac from customers where code = any(:codes)"),
        {"codes": [*codes, *marks]},
    ).all()
    known = {row.code: (row.id, row.content_mac) for row in found if row.code not in marks}
    return known, {marks[row.code] for row in found if row.code in marks}


def lock_institution(tx: Tx, customer_id: UUID) -> Any:
    """The institution's row, locked. Raises CustomerNotFound, ForeignBranch, NotAnInstitution."""
    customer = lock(tx.conn, customer_id)
    tx.actor.require_branch(customer.branch_id)
    if customer.kind == "patient":
        raise NotAnInstitution("a patient has no licences, needs no admission and gets no credit")
    return customer


def of_branches(branches: Sequence[str]) -> Select[tuple[UUID]]:
    """The ids of the customers of these branches, as a query to select others' rows by."""
    return select(customers.c.id).where(customers.c.branch_id.in_(branches))


def lock_free(conn: Connection, customer_ids: Sequence[UUID]) -> list[UUID]:
    """Lock those of the customers that nobody else holds, and say which, in the order given."""
    found = conn.execute(
        select(customers.c.id)
        .where(customers.c.id.in_(customer_ids))
        .order_by(customers.c.id)
        .with_for_update(skip_locked=True)
    )
    locked = set(found.scalars())
    return [each for each in customer_ids if each in locked]
