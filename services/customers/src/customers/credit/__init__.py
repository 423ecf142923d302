"""How much an institution may owe us: proposals, approvals, holds, and the archive of all of them."""

from customers.credit import tables
from customers.credit.api import credit
from shared.areas import Area

AREA = Area(tables=tables, blueprints=[credit])

__all__ = ["AREA"]
