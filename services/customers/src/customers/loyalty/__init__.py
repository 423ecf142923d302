"""Points: earned and taken back by what finance says, redeemed and expired here."""

from customers.loyalty import tables
from customers.loyalty.api import customer_points, points
from customers.loyalty.jobs import JOBS
from customers.loyalty.reactions import handle, take_over, withdraw
from shared.areas import Area

AREA = Area(
    tables=tables,
    blueprints=[customer_points, points],
    reactions=[take_over, handle],
    withdraw=withdraw,
    jobs=JOBS,
)

__all__ = ["AREA"]
