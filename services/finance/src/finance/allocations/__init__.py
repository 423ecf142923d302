"""Credits set against debts: what was paid, credited or written off pays what is owed."""

from finance.allocations import tables
from finance.allocations.commands import allocate, match_refund, oldest_first
from finance.allocations.rules import Match
from finance.allocations.store import ALLOCATIONS
from shared.areas import Area

AREA = Area(tables=tables)

__all__ = ["ALLOCATIONS", "AREA", "Match", "allocate", "match_refund", "oldest_first"]
