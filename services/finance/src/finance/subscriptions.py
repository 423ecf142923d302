"""The fields finance reads of others' facts; everything else in them is passed over."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from shared.texts import (
    LINES_MAX,
    Branch,
    EarnedPoints,
    Fen,
    Lot,
    MovedPoints,
    Name,
    Points,
    PositiveFen,
    Quantity,
    Reference,
    Version,
)

AwareInstant = Annotated[datetime, Meta(tz=True)]


class SettledLine(Struct, frozen=True):
    return_line_id: Reference
    sale_line_id: UUID
    lot: Lot
    quantity: Quantity
    disposition: Name
    net_fen: Fen
    tax_fen: Fen
    cost_fen: Fen


class ReturnSettled(Struct, frozen=True):
    """returns.return.settled.v1"""

    return_id: Reference
    sale_id: UUID
    settled_on: date
    lines: Annotated[list[SettledLine], Meta(max_length=LINES_MAX)]
    refund_fen: Fen


class GoodsReceived(Struct, frozen=True):
    """returns.return.received.v1; the day is the event's own."""

    return_id: Reference


class PermissionChanged(Struct, frozen=True):
    """customers.permission.changed.v1"""

    customer_id: UUID
    kind: Name
    allowed: bool
    categories: Annotated[list[Name], Meta(max_length=LINES_MAX)]
    permission_version: Version
    valid_until: date | None = None


class OfferProposed(Struct, frozen=True):
    """customers.offer.proposed.v1"""

    offer_id: UUID
    plan_id: UUID
    branch_id: Branch
    first_day: date
    last_day: date
    cost_fen: PositiveFen


class OfferEnded(Struct, frozen=True):
    """customers.offer.ended.v1"""

    plan_id: UUID
    drawing_id: UUID
    used_fen: Fen


class CreditChanged(Struct, frozen=True):
    """customers.credit.changed.v1"""

    customer_id: UUID
    limit_fen: Fen
    overdue_tolerance_fen: Fen
    on_hold: bool
    credit_version: Version
    valid_until: date | None = None


class StopSaleOrdered(Struct, frozen=True):
    """returns.stop_sale.ordered.v1"""

    stop_sale_id: UUID
    product_id: Lot
    lots: Annotated[list[Lot], Meta(max_length=LINES_MAX)]
    ordered_at: AwareInstant


class StopSaleLifted(Struct, frozen=True):
    """returns.stop_sale.lifted.v1"""

    stop_sale_id: UUID
    product_id: Lot
    lots: Annotated[list[Lot], Meta(max_length=LINES_MAX)]
    lifted_at: AwareInstant


class PointsEarned(Struct, frozen=True):
    """customers.points.earned.v1"""

    branch_id: Branch
    sale_id: UUID
    points: EarnedPoints


class PointsTakenBack(Struct, frozen=True):
    """customers.points.taken_back.v1"""

    branch_id: Branch
    sale_id: UUID
    return_id: Reference
    points: Points


class PointsCorrected(Struct, frozen=True):
    """customers.points.corrected.v1: what a lost sale or refund had given or taken; `points` may be negative"""

    branch_id: Branch
    sale_id: UUID
    points: MovedPoints
    lost_event_id: UUID
    return_id: Reference | None = None


class PointLot(Struct, frozen=True):
    """Points that one sale earned; its branch where the fact tells it."""

    sale_id: UUID
    points: EarnedPoints
    branch_id: Branch = "-"


class PointsRedeemed(Struct, frozen=True):
    """customers.points.redeemed.v1"""

    redemption_id: UUID
    customer_id: UUID
    branch_id: Branch
    receipt_number: Reference
    points: EarnedPoints
    value_fen: PositiveFen
    lots: Annotated[list[PointLot], Meta(min_length=1, max_length=LINES_MAX)]


class PointsRestored(Struct, frozen=True):
    """customers.points.restored.v1"""

    redemption_id: UUID
    cause: Name


class PointsExpired(Struct, frozen=True):
    """customers.points.expired.v1"""

    expiry_id: UUID
    lots: Annotated[list[PointLot], Meta(max_length=LINES_MAX)]
    expired_on: date
