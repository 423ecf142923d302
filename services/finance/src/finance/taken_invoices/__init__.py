"""Invoices of suppliers are used once over the whole company, by claims and purchases together."""

from finance.taken_invoices import tables
from finance.taken_invoices.store import TAKEN, give_back, take
from shared.areas import Area

AREA = Area(tables=tables)

__all__ = ["AREA", "TAKEN", "give_back", "take"]
