"""Which fields of a customer changed when, by whom, and sealed what they were."""

from customers.change_log import tables
from customers.change_log.store import add, erase, rows_of
from shared.areas import Area

AREA = Area(tables=tables)

__all__ = ["AREA", "add", "erase", "rows_of"]
