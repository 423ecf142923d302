"""Promotion plans: forecast and budget, approved by two; offers draw on them; the result at the end."""

from finance.promotions import tables
from finance.promotions.api import promotions
from finance.promotions.reactions import handle
from shared.areas import Area

AREA = Area(tables=tables, blueprints=[promotions], reactions=[handle])

__all__ = ["AREA"]
