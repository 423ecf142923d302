"""How a customer comes in, one or thousands at a time, and how its record changes."""

from customers.registration.api import registration
from shared.areas import Area

AREA = Area(blueprints=[registration])

__all__ = ["AREA"]
