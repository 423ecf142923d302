"""Sales targets, the daily reports beside them, and how far they are reached."""

from finance.sales_targets import tables
from finance.sales_targets.api import sales_targets
from shared.areas import Area

AREA = Area(tables=tables, blueprints=[sales_targets])

__all__ = ["AREA"]
