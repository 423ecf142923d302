"""One lot of a product has one expiry: what was first told holds until quality assurance decides (ADR-0043)."""

from finance.lots import tables
from finance.lots.api import lots
from finance.lots.rules import Named, Paper, Source
from finance.lots.store import OF_ONE_SALE, Shelf, held, of_lines, tell
from shared.areas import Area

AREA = Area(tables=tables, blueprints=[lots])

__all__ = ["AREA", "OF_ONE_SALE", "Named", "Paper", "Shelf", "Source", "held", "of_lines", "tell"]
