"""Offers to patients: designed here, paid by a promotion plan of finance, published by two approvals, ended with their cost."""

from customers.offers import tables
from customers.offers.api import customer_offers, offers
from customers.offers.reactions import handle, withdraw
from shared.areas import Area

AREA = Area(tables=tables, blueprints=[offers, customer_offers], reactions=[handle], withdraw=withdraw)

__all__ = ["AREA"]
