"""The fields of sales and customers that are read; whatever else their facts carry is ignored."""

from datetime import date, datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from shared.texts import FIRST_DAY, LAST_DAY, LINES_MAX, Branch, Fen, Lot, Name, Quantity, Reference

SALE_POSTED = "finance.sale.posted.v1"
CUSTOMER_REGISTERED = "customers.customer.registered.v1"


class SoldLine(Struct, frozen=True):
    line_id: Reference
    product_id: Reference
    category: Name
    temp_class: Literal["normal", "cool", "cold_2_8", "frozen"]
    lot: Lot
    expiry: date
    quantity: Quantity
    net_fen: Fen
    tax_fen: Fen
    cost_fen: Fen


class SalePosted(Struct, frozen=True):
    """What is read of SALE_POSTED."""

    sale_id: Reference
    receipt_number: Reference
    branch_id: Branch
    customer_id: Reference | None
    business_date: date
    sold_at: Annotated[datetime, Meta(tz=True)]
    lines: Annotated[list[SoldLine], Meta(max_length=LINES_MAX)]

    def __post_init__(self) -> None:
        if not FIRST_DAY <= self.business_date <= LAST_DAY:
            raise ValueError(f"business_date {self.business_date} is not between {FIRST_DAY} and {LAST_DAY}")


class Refunded(Struct, frozen=True):
    """What is read of REFUND_PAID: whether it is of a receipt that was voided."""

    sale_id: Reference
    kind: Name = "return"


class Sold(Struct, frozen=True, kw_only=True):
    """One lot of a sold line, with the sale it belongs to."""

    sale_id: str
    receipt_number: str
    customer_id: str | None
    sold_at: datetime
    sale_line_id: str
    lot: str
    product_id: str
    category: str
    temp_class: str
    expiry: date
    quantity: int
    net_fen: int
    tax_fen: int
    cost_fen: int


class CustomerRegistered(Struct, frozen=True):
    """What is read of CUSTOMER_REGISTERED."""

    customer_id: Reference
    kind: Name
