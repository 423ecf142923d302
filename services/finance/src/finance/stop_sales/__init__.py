"""Lots that quality assurance took off sale."""

from finance.stop_sales import tables
from finance.stop_sales.reactions import COPIES, handle
from finance.stop_sales.rules import Lot, among, key_of, refuse
from finance.stop_sales.store import OF_ONE_SALE, STOPPED, active, require_free
from shared.areas import Area

AREA = Area(tables=tables, reactions=[handle], copies=COPIES)

__all__ = ["AREA", "OF_ONE_SALE", "STOPPED", "Lot", "active", "among", "key_of", "refuse", "require_free"]
