"""Promotion plans: forecast and budget, approved by two; offers draw on them; the result at the end."""

from finance.promotions import tables
from finance.promotions.api import promotions
from finance.promotions.reactions import handle, withdraw
from shared.areas import Area

AREA = Area(tables=tables, blueprints=[promotions], reactions=[handle], withdraw=withdraw)

__all__ = ["AREA"]
