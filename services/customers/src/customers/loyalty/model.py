"""The fields read of finance's facts; everything else in them is passed over.

msgspec structs, because a year of receipts is replayed through them: parsing costs microseconds.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from customers.loyalty.rules import Earning
from shared.texts import LINES_MAX, Branch, Fen, Name, Points, Reference


class SoldLine(Struct, frozen=True):
    line_id: Reference
    net_fen: Fen
    tax_fen: Fen


class Tender(Struct, frozen=True):
    tender: Name
    fen: Fen
    redemption_id: UUID | None = None


class SalePosted(Struct, frozen=True):
    """finance.sale.posted.v1"""

    sale_id: Reference
    branch_id: Branch
    lines: Annotated[list[SoldLine], Meta(max_length=LINES_MAX)]
    tenders: Annotated[list[Tender], Meta(max_length=LINES_MAX)]
    customer_id: Reference | None = None
    receipt_number: Reference | None = None


class RefundedLine(Struct, frozen=True):
    sale_line_id: Reference
    net_fen: Fen
    tax_fen: Fen


class PointsBack(Struct, frozen=True):
    """Of a refund's tender `points`: the whole points that come back of a redemption."""

    tender: Name
    points: Points = 0
    redemption_id: UUID | None = None


class RefundPaid(Struct, frozen=True):
    """finance.refund.paid.v1"""

    refund_id: Reference
    return_id: Reference
    sale_id: Reference
    branch_id: Branch
    lines: Annotated[list[RefundedLine], Meta(max_length=LINES_MAX)]
    tenders: Annotated[list[PointsBack], Meta(max_length=LINES_MAX)] = []


@dataclass(frozen=True, slots=True)
class Redemption:
    """Points set aside to pay a receipt; the columns by these names."""

    redemption_id: UUID
    customer_id: str
    branch_id: str
    points: int
    state: str
    sale_id: str | None
    used_on: date | None
    used_event_id: UUID | None
    restored_at: datetime | None
    restored_cause: str | None


@dataclass(frozen=True, slots=True)
class Lost:
    """A lost event of finance and what it said of points; `kind`: `sale`, `refund`, or `use` of a redemption."""

    kind: str
    event_id: UUID
    seq: int
    day: date
    return_id: str | None = None
    redemption_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """`event_id` is finance's; `lines` maps a sale line's id to the fen refunded of its gross."""

    event_id: UUID
    return_id: str
    day: date
    lines: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownSale:
    """What a sale earned, its refunds in the order of finance but for those that were lost, and what has expired."""

    sale_id: str
    earnings: list[Earning]
    refunds: list[Refund]
    expired: int
