"""Posting sales: one receipt, or thousands in an upload."""

from finance.sales.api import sales
from finance.sales.commands.post import Granted, ReceiptNumberReused, post_sale
from shared.areas import Area

AREA = Area(blueprints=[sales])

__all__ = ["AREA", "Granted", "ReceiptNumberReused", "post_sale"]
