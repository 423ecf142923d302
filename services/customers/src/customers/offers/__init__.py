"""Offers to patients: designed here, paid by a promotion plan of finance, published by two approvals, ended with their cost."""

from customers.offers import tables
from customers.offers.api import customer_offers, offers
from customers.offers.reactions import handle
from shared.areas import Area

AREA = Area(tables=tables, blueprints=[offers, customer_offers], reactions=[handle])

__all__ = ["AREA"]
