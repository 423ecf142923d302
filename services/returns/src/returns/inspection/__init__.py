"""How much of a lot is inspected, and what was found."""

from returns.inspection import tables
from returns.inspection.api import sampling
from returns.inspection.commands import inspect_return
from returns.inspection.model import Inspected
from returns.inspection.queries import reports_of
from returns.inspection.schemas import InspectionBody, InspectionView
from shared.areas import Area

AREA = Area(tables=tables, blueprints=[sampling])

__all__ = ["AREA", "Inspected", "InspectionBody", "InspectionView", "inspect_return", "reports_of"]
