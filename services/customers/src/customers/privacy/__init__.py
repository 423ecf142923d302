"""Personal data in clear for a purpose, and its erasure."""

from customers.privacy.api import privacy
from shared.areas import Area

AREA = Area(blueprints=[privacy])

__all__ = ["AREA"]
