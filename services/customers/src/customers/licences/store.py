"""The statements that change licences and permissions, and what is read to do so."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from customers.licences import rules
from customers.licences.rules import Licence, LicenceNotFound, Permission, Standing
from customers.licences.tables import licences, trade_permissions
from shared.languages import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPermission:
    permission: Permission
    version: int


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
        mandatory=rules.mandatory_licences(customer.kind, on),
        licences=[licence_of(row) for row in licence_rows(conn, customer.id)],
    )


def require_licence_of(conn: Connection, licence_id: UUID, customer_id: UUID) -> None:
    """Raises LicenceNotFound where the customer handed in no such licence."""
    found = conn.execute(select(licences.c.customer_id).where(licences.c.id == licence_id)).scalar()
    if found != customer_id:
        raise LicenceNotFound(
            Text("no licence {licence_id}", licence_id=licence_id), licence_id=str(licence_id)
        )


def change_licence(conn: Connection, licence_id: UUID, **values: Any) -> None:
    conn.execute(update(licences).where(licences.c.id == licence_id).values(**values))


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


def due_customers(conn: Connection, today: date, limit: int) -> list[UUID]:
    """Customers whose permission may change today, at most `limit`, those first that are longest due."""
    found = conn.execute(
        select(trade_permissions.c.customer_id)
        .where(trade_permissions.c.changes_on <= today)
        .order_by(trade_permissions.c.changes_on, trade_permissions.c.customer_id)
        .limit(limit)
    )
    return list(found.scalars())
