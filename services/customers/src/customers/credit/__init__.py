"""How much an institution may owe us: proposals, approvals, holds, and the archive of all of them."""

from customers.credit import tables
from customers.credit.api import credit, credits_in_effect
from shared.areas import Area

AREA = Area(tables=tables, blueprints=[credit, credits_in_effect])

__all__ = ["AREA"]
