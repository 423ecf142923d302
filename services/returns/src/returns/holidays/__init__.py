"""Holidays and make-up workdays, as reporting announces them."""

from returns.holidays import tables
from shared.holidays import area

AREA = area(tables)

__all__ = ["AREA"]
