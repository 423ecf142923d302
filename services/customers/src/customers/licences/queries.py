"""What is read of permissions."""

from datetime import date
from typing import Any

from sqlalchemy import Connection, select

from customers.licences.rules import Permission, permission_on
from customers.licences.store import standing_of
from customers.licences.tables import trade_permissions


def trade_permission(conn: Connection, customer: Any, on: date) -> tuple[Permission, int]:
    """The permission on a day, computed now, and the version of the one last published (0: none).

    A patient needs no licence: what a patient may buy is decided at the till. Source: G2, model 3.1 invariant 2
    """
    if customer.kind == "patient":
        allowed = customer.status == "active"
        reasons = () if allowed else (f"status_{customer.status}",)
        return Permission(allowed=allowed, categories=(), reasons=reasons, valid_until=None), 0
    version = conn.execute(
        select(trade_permissions.c.permission_version).where(trade_permissions.c.customer_id == customer.id)
    ).scalar()
    return permission_on(standing_of(conn, customer, on), on), int(version or 0)
