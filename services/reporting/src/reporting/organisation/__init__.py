"""The register of branches, departments and posts."""

from reporting.organisation import tables
from reporting.organisation.api import blueprint
from shared.areas import Area

AREA = Area(tables=tables, blueprints=[blueprint])

__all__ = ["AREA"]
