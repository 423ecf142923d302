"""The facts about licences and permissions. Nothing personal is in them."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Final, TypedDict
from uuid import UUID

from customers.kernel.fields import Kind, Names
from shared.events import Event
from shared.texts import (
    AnyDay,
    Branch,
    Id,
    Label,
    Many,
    Name,
    Version,
)


class PermissionChanged(TypedDict):
    """`valid_until` is the last day on which it holds; the permission ends at 24:00 Asia/Shanghai of that day."""

    customer_id: Id
    branch_id: Branch
    kind: Kind
    allowed: bool
    categories: Names
    reasons: Annotated[list[Label], Many]
    valid_until: AnyDay | None
    permission_version: Version


class LicenceVerified(TypedDict):
    customer_id: Id
    branch_id: Branch
    licence_id: Id
    type: Name
    valid_until: AnyDay | None
    scope: Names


class LicenceExpired(TypedDict):
    customer_id: Id
    branch_id: Branch
    licence_id: Id
    type: Name


def permission_changed(
    *,
    customer_id: UUID,
    branch_id: str,
    kind: str,
    allowed: bool,
    categories: Sequence[str],
    reasons: Sequence[str],
    valid_until: date | None,
    permission_version: int,
    on: date,
) -> Event[PermissionChanged]:
    """`valid_until` is the last day on which it holds; the permission ends at 24:00 Asia/Shanghai of that day."""
    return Event(
        type="customers.permission.changed.v1",
        subject=str(customer_id),
        version=permission_version,
        day=on,
        data={
            "customer_id": str(customer_id),
            "branch_id": branch_id,
            "kind": kind,
            "allowed": allowed,
            "categories": list(categories),
            "reasons": list(reasons),
            "valid_until": valid_until.isoformat() if valid_until else None,
            "permission_version": permission_version,
        },
    )


def licence_verified(
    *,
    customer_id: UUID,
    branch_id: str,
    licence_id: UUID,
    licence_type: str,
    valid_until: date | None,
    scope: Sequence[str],
    version: int,
    on: date,
) -> Event[LicenceVerified]:
    return Event(
        type="customers.licence.verified.v1",
        subject=str(licence_id),
        version=version,
        day=on,
        data={
            "customer_id": str(customer_id),
            "branch_id": branch_id,
            "licence_id": str(licence_id),
            "type": licence_type,
            "valid_until": valid_until.isoformat() if valid_until else None,
            "scope": list(scope),
        },
    )


def licence_expired(
    *, customer_id: UUID, branch_id: str, licence_id: UUID, licence_type: str, version: int, on: date
) -> Event[LicenceExpired]:
    return Event(
        type="customers.licence.expired.v1",
        subject=str(licence_id),
        version=version,
        day=on,
        data={
            "customer_id": str(customer_id),
            "branch_id": branch_id,
            "licence_id": str(licence_id),
            "type": licence_type,
        },
    )


PUBLISHED: Final[Mapping[str, type]] = {
    "customers.permission.changed.v1": PermissionChanged,
    "customers.licence.verified.v1": LicenceVerified,
    "customers.licence.expired.v1": LicenceExpired,
}
