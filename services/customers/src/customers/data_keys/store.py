"""The statements that make, open and destroy data keys."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import Cursor
from sqlalchemy import Connection, insert, select, update

from customers.data_keys.rules import SubjectKey, Vault
from customers.data_keys.tables import subject_keys


def add(conn: Connection, vault: Vault, subject_id: UUID, now: datetime) -> SubjectKey:
    """Make the data key of a new subject and return it opened."""
    wrapped, key = vault.new_key(subject_id)
    conn.execute(
        insert(subject_keys).values(
            subject_id=subject_id, wrapped=wrapped, master_key_id=vault.master_key_id, created_at=now
        )
    )
    return key


def destroy(conn: Connection, subject_ids: Sequence[UUID], *, by: str, now: datetime) -> None:
    """Forget the data keys: whatever they sealed, wherever a copy of it lies, can no longer be read here."""
    conn.execute(
        update(subject_keys)
        .where(subject_keys.c.subject_id.in_(subject_ids), subject_keys.c.wrapped.is_not(None))
        .values(wrapped=None, destroyed_at=now, destroyed_by=by)
    )


def opened(conn: Connection, vault: Vault, subject_ids: Sequence[UUID]) -> dict[UUID, SubjectKey]:
    """The data keys of those subjects that have not been erased."""
    if not subject_ids:
        return {}
    rows = conn.execute(
        select(subject_keys.c.subject_id, subject_keys.c.wrapped).where(
            subject_keys.c.subject_id.in_(subject_ids), subject_keys.c.wrapped.is_not(None)
        )
    )
    return {row.subject_id: vault.open_key(row.subject_id, bytes(row.wrapped)) for row in rows}


def add_many(cursor: Cursor[Any], rows: Sequence[tuple[UUID, bytes, str, datetime]]) -> None:
    """Store many wrapped data keys: subject, wrapped key, master key id, instant."""
    with cursor.copy("copy subject_keys (subject_id, wrapped, master_key_id, created_at) from stdin") as copy:
        for row in rows:
            copy.write_row(row)
