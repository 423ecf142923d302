"""Who was trained in what, with which result, and whose training has run out."""

from reporting.training import tables
from reporting.training.api import blueprint
from shared.areas import Area

AREA = Area(tables=tables, blueprints=[blueprint])

__all__ = ["AREA"]
