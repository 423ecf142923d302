"""Cash of the branches: drawers and safe, blind counts, variances that are always posted and then resolved.

Source: F3, F4, F21
"""

from finance.cash import tables
from finance.cash.api import HANDLERS, cash
from finance.cash.commands import before_safe_pays, open_held, pay_out, require_in_drawer
from finance.cash.model import Movement
from finance.cash.queries import require_sessions_closed
from finance.cash.schemas import CashMovementView
from finance.cash.store import has_paid
from shared.areas import Area

AREA = Area(tables=tables, blueprints=[cash])

__all__ = [
    "AREA",
    "HANDLERS",
    "CashMovementView",
    "Movement",
    "before_safe_pays",
    "has_paid",
    "open_held",
    "pay_out",
    "require_in_drawer",
    "require_sessions_closed",
]
