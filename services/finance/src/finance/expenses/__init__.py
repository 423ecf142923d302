"""Expense claims: drafted, submitted, judged, audited, approved, paid."""

from finance.expenses import tables
from finance.expenses.api import expenses
from shared.areas import Area

AREA = Area(tables=tables, blueprints=[expenses])

__all__ = ["AREA"]
