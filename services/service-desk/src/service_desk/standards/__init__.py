"""The numbers served by, with their dates and sources."""

from service_desk.standards.api import standards
from service_desk.standards.rules import value
from shared.areas import Area

AREA = Area(blueprints=[standards])

__all__ = ["AREA", "value"]
