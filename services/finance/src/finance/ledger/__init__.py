"""The journal: entries and their lines, numbered and sealed by its hash chain."""

from finance.ledger import tables
from finance.ledger.api import journal
from finance.ledger.store import of_sales, sealing
from finance.ledger.store.journal import (
    ENTRIES,
    LINES,
    PROOFS,
    Entry,
    NewEntry,
    add_entries,
    add_entry,
    entry,
    postings,
)
from shared.areas import Area

AREA = Area(tables=tables, blueprints=[journal], proofs=PROOFS)

__all__ = [
    "AREA",
    "ENTRIES",
    "LINES",
    "Entry",
    "NewEntry",
    "add_entries",
    "add_entry",
    "entry",
    "of_sales",
    "postings",
    "sealing",
]
