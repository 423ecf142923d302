"""The sub-ledger of receivables: every line on account 1122 has its open items."""

from finance.open_items.rules import Item, NewItem, ReceivableUnknown
from finance.open_items.store import (
    OF_ONE_SALE,
    add_for_entry,
    add_for_sales,
    lock,
    lock_of_sales,
    move,
    next_version,
    of_source,
)
from shared.areas import Area

AREA = Area()

__all__ = [
    "AREA",
    "OF_ONE_SALE",
    "Item",
    "NewItem",
    "ReceivableUnknown",
    "add_for_entry",
    "add_for_sales",
    "lock",
    "lock_of_sales",
    "move",
    "next_version",
    "of_source",
]
