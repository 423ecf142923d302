"""Fetching the goods, in time."""

from returns.pickups import tables
from returns.pickups.commands import confirm_pickup, order
from returns.pickups.jobs import JOBS
from returns.pickups.queries import pickup_of
from returns.pickups.schemas import PickupView
from shared.areas import Area

AREA = Area(tables=tables, jobs=JOBS)

__all__ = ["AREA", "PickupView", "confirm_pickup", "order", "pickup_of"]
