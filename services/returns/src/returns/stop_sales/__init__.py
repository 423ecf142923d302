"""Lots off sale."""

from returns.stop_sales import tables
from returns.stop_sales.api import stop_sales
from shared.areas import Area

AREA = Area(tables=tables, blueprints=[stop_sales])

__all__ = ["AREA"]
