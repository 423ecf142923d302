"""What may be asked for goods: list and floor prices, grades of customers, strategies; proposed by one, decided by another."""

from finance.prices import tables
from finance.prices.api import prices
from finance.prices.rules import DiscountNotApproved, PriceBelowFloor, Prices
from finance.prices.store.floors import below, require
from finance.prices.store.in_force import Asked, in_force, list_price
from shared.areas import Area

AREA = Area(tables=tables, blueprints=[prices])

__all__ = [
    "AREA",
    "Asked",
    "DiscountNotApproved",
    "PriceBelowFloor",
    "Prices",
    "below",
    "in_force",
    "list_price",
    "require",
]
