"""How much a customer may owe, and what it owes and has ordered."""

from finance.credit import tables
from finance.credit.api import credit
from finance.credit.commands import Room, draw, look, reserve
from finance.credit.reactions import COPIES, handle
from finance.credit.rules import CreditLimitExceeded, CreditOverdue, Override, refusal_of
from finance.credit.store import positions, reserved_for
from shared.areas import Area

AREA = Area(tables=tables, blueprints=[credit], reactions=[handle], copies=COPIES)

__all__ = [
    "AREA",
    "CreditLimitExceeded",
    "CreditOverdue",
    "Override",
    "Room",
    "draw",
    "look",
    "positions",
    "refusal_of",
    "reserve",
    "reserved_for",
]
