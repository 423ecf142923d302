"""A closed month that is opened again: asked for, approved by two persons."""

from finance.reopenings.api import reopenings
from shared.areas import Area

AREA = Area(blueprints=[reopenings])

__all__ = ["AREA"]
