"""Credits set against debts: what was paid, credited or written off pays what is owed."""

from finance.allocations.commands import allocate, match_refund, oldest_first
from finance.allocations.rules import Match
from shared.areas import Area

AREA = Area()

__all__ = ["AREA", "Match", "allocate", "match_refund", "oldest_first"]
