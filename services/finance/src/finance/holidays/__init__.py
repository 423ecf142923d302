"""Holidays and make-up workdays, as reporting announces them."""

from finance.holidays import tables
from shared.holidays import area

AREA = area(tables)

__all__ = ["AREA"]
