"""Months: which there are, and their close."""

from reporting.closing.api import blueprint, configure
from shared.areas import Area

AREA = Area(blueprints=[blueprint], configure=configure)

__all__ = ["AREA"]
