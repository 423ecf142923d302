"""Shipments of orders: sent, listed, due, and the delivery note."""

from finance.shipments.api import shipments
from shared.areas import Area

AREA = Area(blueprints=[shipments])

__all__ = ["AREA"]
