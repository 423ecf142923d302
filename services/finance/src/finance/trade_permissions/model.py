"""What customers tell of whom we may sell to."""

from datetime import date
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from shared.texts import LINES_MAX, Name, Version

PERMISSION_CHANGED = "customers.permission.changed.v1"


class PermissionChanged(Struct, frozen=True):
    """customers.permission.changed.v1"""

    customer_id: UUID
    kind: Name
    allowed: bool
    categories: Annotated[list[Name], Meta(max_length=LINES_MAX)]
    permission_version: Version
    valid_until: date | None = None
