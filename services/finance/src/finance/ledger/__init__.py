"""The journal: entries and their lines, numbered and sealed by its hash chain."""

from finance.ledger import tables
from finance.ledger.api import journal
from finance.ledger.store import of_sales, sums
from finance.ledger.store.journal import (
    ENTRIES,
    ENTRIES_CHAIN,
    LINES,
    PROOFS,
    Entry,
    NewEntry,
    add_entries,
    add_entry,
    days_of,
    entry,
    postings,
)
from shared.areas import Area

AREA = Area(tables=tables, blueprints=[journal], proofs=PROOFS)

__all__ = [
    "AREA",
    "ENTRIES",
    "ENTRIES_CHAIN",
    "LINES",
    "Entry",
    "NewEntry",
    "add_entries",
    "add_entry",
    "days_of",
    "entry",
    "of_sales",
    "postings",
    "sums",
]
