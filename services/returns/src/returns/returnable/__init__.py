"""What may still come back of each sold line and lot, and what its parts are worth."""

from returns.returnable import tables
from returns.returnable.api import sold
from returns.returnable.model import Worth, share
from returns.returnable.store import lock, save
from shared.areas import Area

AREA = Area(tables=tables, blueprints=[sold])

__all__ = ["AREA", "Worth", "lock", "save", "share"]
