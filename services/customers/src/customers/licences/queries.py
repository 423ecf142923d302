"""What is read of permissions."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select

from customers import master
from customers.licences.rules import Permission, permission_on
from customers.licences.store import standing_of
from customers.licences.tables import licences, trade_permissions
from shared.paging import decode_cursor, page


def of_all(conn: Connection, branches: Sequence[str] | None, args: Mapping[str, Any]) -> dict[str, Any]:
    """A page of licences of the customers of these branches (None: all), oldest first. Raises CursorInvalid."""
    (after,) = decode_cursor(args["cursor"], UUID)
    wanted = select(licences).order_by(licences.c.id).limit(args["limit"] + 1)
    if branches is not None:
        wanted = wanted.where(licences.c.customer_id.in_(master.of_branches(branches)))
    if args["state"] is not None:
        wanted = wanted.where(licences.c.state == args["state"])
    if after is not None:
        wanted = wanted.where(licences.c.id > after)
    return page(conn.execute(wanted).mappings(), args["limit"], "id")


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
