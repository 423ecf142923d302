"""The register of branches, departments and posts."""

from reporting.organisation import tables
from reporting.organisation.api import blueprint
from reporting.organisation.queries import employed_on, staff_known
from reporting.organisation.rules import StaffId
from shared.areas import Area

AREA = Area(tables=tables, blueprints=[blueprint])

__all__ = ["AREA", "StaffId", "employed_on", "staff_known"]
