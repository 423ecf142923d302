"""The product catalogue: what a product is, from which day on; what matters for safety is approved (ADR-0051)."""

from finance.products import tables
from finance.products.api import products
from finance.products.rules import earliest
from finance.products.store import VERSIONS, held_on
from shared.areas import Area

AREA = Area(tables=tables, blueprints=[products])

__all__ = ["AREA", "VERSIONS", "earliest", "held_on"]
