"""The sub-ledger of receivables: every line on account 1122 has its open items."""

from finance.open_items import tables
from finance.open_items.jobs import JOBS
from finance.open_items.rules import Item, NewItem, ReceivableUnknown
from finance.open_items.store.items import ITEMS, add_for_entry, change, lock, lock_of_sales, of_source
from finance.open_items.store.of_sales import SALE_PART
from shared.areas import Area

AREA = Area(tables=tables, jobs=JOBS)

__all__ = [
    "AREA",
    "ITEMS",
    "SALE_PART",
    "Item",
    "NewItem",
    "ReceivableUnknown",
    "add_for_entry",
    "change",
    "lock",
    "lock_of_sales",
    "of_source",
]
