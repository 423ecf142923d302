"""What this service knows of sales and customers, from their events alone."""

from returns.known import tables
from returns.known.model import Sold
from returns.known.reactions import WITHDRAW, handle
from returns.known.store import (
    find_customer_kind,
    find_sold_lines,
    is_voided,
    require_no_customer,
    require_no_sale,
)
from shared.areas import Area

AREA = Area(tables=tables, reactions=[handle], withdraw=WITHDRAW)

__all__ = [
    "AREA",
    "Sold",
    "find_customer_kind",
    "find_sold_lines",
    "is_voided",
    "require_no_customer",
    "require_no_sale",
]
