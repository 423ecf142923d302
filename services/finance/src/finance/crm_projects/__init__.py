"""What projects of customer relations cost and bring."""

from finance.crm_projects import tables
from finance.crm_projects.api import crm_projects
from shared.areas import Area

AREA = Area(tables=tables, blueprints=[crm_projects])

__all__ = ["AREA"]
