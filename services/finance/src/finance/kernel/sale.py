"""A sale that may be booked, as every area reads it."""

from collections.abc import Sequence
from datetime import date

from msgspec import Struct

from finance.kernel.posting import PostingLine
from finance.kernel.receipt import Receipt, credit_in
from shared.errors import NotFound


class PricedSale(Struct, frozen=True, gc=False):
    """A receipt that may be booked, its `sold_at` in UTC; `line_net_fen` and `line_tax_fen` per line, in order."""

    receipt: Receipt
    business_date: date
    line_net_fen: list[int]
    line_tax_fen: list[int]
    net_fen: int
    tax_fen: int
    total_fen: int
    cost_fen: int
    content_hash: bytes


class SaleNotFound(NotFound):
    code = "sale_not_found"
    cure = "Look it up in the list of sales by its receipt number."


class Booked(Struct, frozen=True, gc=False):
    """A sale about to be written."""

    priced: PricedSale
    sale_id: str
    line_ids: list[str]
    event_id: str
    booked_on: date
    postings: Sequence[PostingLine]
    posted_fen: int
    terms: str | None = None
    """Instalments agreed for this sale alone, as JSON; null leaves them to the customer's terms."""

    @property
    def reference(self) -> str | None:
        """Of a late receipt: the month it belongs to, when it is booked to another."""
        day = self.priced.business_date
        same = (day.year, day.month) == (self.booked_on.year, self.booked_on.month)
        return None if same else f"late:{day:%Y-%m}"


def credit_of(booked: Booked) -> int:
    """What the sale leaves to be paid, in fen."""
    return credit_in(booked.priced.receipt)
