"""What this service knows of sales, customers and returns, from their events alone."""

from service_desk.known import tables
from service_desk.known.reactions import WITHDRAW, handle
from service_desk.known.store import return_outcomes, sales
from shared.areas import Area

AREA = Area(tables=tables, reactions=[handle], withdraw=WITHDRAW)

__all__ = ["AREA", "return_outcomes", "sales"]
