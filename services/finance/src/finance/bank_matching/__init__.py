"""Bank lines matched with the books, and the reconciliation of each month.

Source: F3, F16, F21
"""

from finance.bank_matching import tables
from finance.bank_matching.api import bank_matching
from finance.bank_matching.queries.reconciliations import require_reconciled
from shared.areas import Area

AREA = Area(tables=tables, blueprints=[bank_matching])

__all__ = ["AREA", "require_reconciled"]
