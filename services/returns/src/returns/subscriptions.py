"""The fields Returns reads of other services' facts; whatever else they carry is ignored."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct

SALE_POSTED = "finance.sale.posted.v1"
REFUND_PAID = "finance.refund.paid.v1"
CUSTOMER_REGISTERED = "customers.customer.registered.v1"

QUANTITY_MAX = 2**31 - 1
FEN_MAX = 10**15
YEARS = range(2000, 2100)
"""A sale of another year is no sale."""

Id = Annotated[str, Meta(min_length=1, max_length=128)]
Fen = Annotated[int, Meta(ge=0, le=FEN_MAX)]


class SoldLine(Struct, frozen=True):
    line_id: Id
    product_id: Id
    category: Id
    temp_class: Literal["normal", "cool", "cold_2_8", "frozen"]
    lot: Id
    expiry: date
    quantity: Annotated[int, Meta(ge=1, le=QUANTITY_MAX)]
    net_fen: Fen
    tax_fen: Fen
    cost_fen: Fen


class SalePosted(Struct, frozen=True):
    """What is read of SALE_POSTED."""

    sale_id: Id
    receipt_number: Id
    branch_id: Id
    customer_id: Id | None
    business_date: date
    sold_at: Annotated[datetime, Meta(tz=True)]
    lines: list[SoldLine]

    def __post_init__(self) -> None:
        if self.business_date.year not in YEARS:
            raise ValueError(f"business_date {self.business_date} is not between 2000 and 2099")


class CustomerRegistered(Struct, frozen=True):
    """What is read of CUSTOMER_REGISTERED."""

    customer_id: Id
    kind: Id


class RefundPaid(Struct, frozen=True):
    """What is read of REFUND_PAID."""

    refund_id: Id
    return_id: UUID
    total_fen: Fen
