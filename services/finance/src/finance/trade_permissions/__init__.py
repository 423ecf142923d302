"""Whom we may sell to, as customers said it, on each day."""

from finance.trade_permissions import tables
from finance.trade_permissions.commands import check, require
from finance.trade_permissions.reactions import COPIES, handle
from finance.trade_permissions.rules import Permission
from finance.trade_permissions.store import (
    KINDS,
    OF_ONE,
    held,
    held_on,
    read,
    require_told,
)
from shared.areas import Area

AREA = Area(tables=tables, reactions=[handle], copies=COPIES)

__all__ = [
    "AREA",
    "KINDS",
    "OF_ONE",
    "Permission",
    "check",
    "held",
    "held_on",
    "read",
    "require",
    "require_told",
]
