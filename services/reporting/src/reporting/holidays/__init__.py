"""Notices of holidays and make-up workdays, and the calendar they make."""

from reporting.holidays import tables
from reporting.holidays.api import blueprint
from shared.areas import Area

AREA = Area(tables=tables, blueprints=[blueprint])

__all__ = ["AREA"]
