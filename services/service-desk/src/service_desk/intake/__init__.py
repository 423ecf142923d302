"""How a matter comes in: a ticket and a record of feedback in one."""

from service_desk.intake.api import intake
from shared.areas import Area

AREA = Area(blueprints=[intake])

__all__ = ["AREA"]
