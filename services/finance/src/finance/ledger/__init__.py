"""The journal: entries and their lines, numbered and sealed by its hash chain."""

from finance.ledger import tables
from finance.ledger.api import journal
from finance.ledger.store.journal import ENTRIES, LINES, PROOFS, NewEntry, add_entries, add_entry, postings
from finance.ledger.store.of_sales import SALE_PART, new_ids
from finance.ledger.store.sealing import SEALING
from shared.areas import Area

AREA = Area(tables=tables, blueprints=[journal], proofs=PROOFS)

__all__ = [
    "AREA",
    "ENTRIES",
    "LINES",
    "SALE_PART",
    "SEALING",
    "NewEntry",
    "add_entries",
    "add_entry",
    "new_ids",
    "postings",
]
