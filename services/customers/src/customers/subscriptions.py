"""The fields this service reads of others' facts; everything else in them is passed over.

msgspec structs, because a year of receipts is replayed through them: parsing costs microseconds.
"""

from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

NotNegative = Annotated[int, Meta(ge=0)]
Id = Annotated[str, Meta(min_length=1, max_length=128)]


class SoldLine(Struct, frozen=True):
    line_id: Id
    net_fen: NotNegative
    tax_fen: NotNegative


class Tender(Struct, frozen=True):
    tender: str
    fen: int
    redemption_id: UUID | None = None


class SalePosted(Struct, frozen=True):
    """finance.sale.posted.v1"""

    sale_id: Id
    branch_id: Id
    lines: list[SoldLine]
    tenders: list[Tender]
    customer_id: Id | None = None


class RefundedLine(Struct, frozen=True):
    sale_line_id: Id
    net_fen: NotNegative
    tax_fen: NotNegative


class PointsBack(Struct, frozen=True):
    """Of a refund's tender `points`: the whole points that come back of a redemption."""

    tender: str
    points: NotNegative = 0
    redemption_id: UUID | None = None


class RefundPaid(Struct, frozen=True):
    """finance.refund.paid.v1"""

    refund_id: Id
    return_id: Id
    sale_id: Id
    branch_id: Id
    lines: list[RefundedLine]
    tenders: list[PointsBack] = []


class DrawingGranted(Struct, frozen=True):
    """finance.drawing.granted.v1"""

    offer_id: UUID
    drawing_id: UUID


class DrawingRefused(Struct, frozen=True):
    """finance.drawing.refused.v1"""

    offer_id: UUID
    code: Id


SUBSCRIPTIONS: dict[str, type[Struct]] = {
    "finance.sale.posted.v1": SalePosted,
    "finance.refund.paid.v1": RefundPaid,
    "finance.drawing.granted.v1": DrawingGranted,
    "finance.drawing.refused.v1": DrawingRefused,
}
