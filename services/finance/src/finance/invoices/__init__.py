"""Invoices of sales: blue ones, and red ones that take them back."""

from finance.invoices import tables
from finance.invoices.api import invoices
from shared.areas import Area

AREA = Area(tables=tables, blueprints=[invoices])

__all__ = ["AREA"]
