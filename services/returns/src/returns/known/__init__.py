"""What this service knows of sales and customers, from their events alone."""

from returns.known import tables
from returns.known.model import Sold
from returns.known.reactions import CUSTOMER_REGISTERED, SALE_POSTED, WITHDRAW, handle
from returns.known.store import find_customer_kind, find_sold_lines, is_voided, require_caught_up
from shared.areas import Area

AREA = Area(tables=tables, reactions=[handle], withdraw=WITHDRAW)

__all__ = [
    "AREA",
    "CUSTOMER_REGISTERED",
    "SALE_POSTED",
    "Sold",
    "find_customer_kind",
    "find_sold_lines",
    "is_voided",
    "require_caught_up",
]
