"""The fields finance reads of others' facts; everything else in them is passed over."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

NotNegative = Annotated[int, Meta(ge=0)]
Positive = Annotated[int, Meta(ge=1)]
Instant = Annotated[datetime, Meta(tz=True)]
Id = Annotated[str, Meta(min_length=1, max_length=128)]


class SettledLine(Struct, frozen=True):
    return_line_id: Id
    sale_line_id: UUID
    lot: str
    quantity: Positive
    disposition: Id
    net_fen: NotNegative
    tax_fen: NotNegative
    cost_fen: NotNegative


class ReturnSettled(Struct, frozen=True):
    """returns.return.settled.v1"""

    return_id: Id
    sale_id: UUID
    settled_on: date
    lines: list[SettledLine]
    refund_fen: NotNegative


class GoodsReceived(Struct, frozen=True):
    """returns.return.received.v1; the day is the event's own."""

    return_id: Id


class PermissionChanged(Struct, frozen=True):
    """customers.permission.changed.v1"""

    customer_id: UUID
    kind: Id
    allowed: bool
    categories: list[str]
    permission_version: Positive
    valid_until: date | None = None


class OfferProposed(Struct, frozen=True):
    """customers.offer.proposed.v1"""

    offer_id: UUID
    plan_id: UUID
    branch_id: Id
    first_day: date
    last_day: date
    cost_fen: Positive


class OfferEnded(Struct, frozen=True):
    """customers.offer.ended.v1"""

    plan_id: UUID
    drawing_id: UUID
    used_fen: NotNegative


class CreditChanged(Struct, frozen=True):
    """customers.credit.changed.v1"""

    customer_id: UUID
    limit_fen: NotNegative
    overdue_tolerance_fen: NotNegative
    on_hold: bool
    credit_version: Positive
    valid_until: date | None = None


class StopSaleOrdered(Struct, frozen=True):
    """returns.stop_sale.ordered.v1"""

    stop_sale_id: UUID
    product_id: Id
    lots: list[Id]
    ordered_at: Instant


class StopSaleLifted(Struct, frozen=True):
    """returns.stop_sale.lifted.v1"""

    stop_sale_id: UUID
    product_id: Id
    lots: list[Id]
    lifted_at: Instant


class PointsEarned(Struct, frozen=True):
    """customers.points.earned.v1"""

    branch_id: Id
    sale_id: UUID
    points: Positive


class PointsTakenBack(Struct, frozen=True):
    """customers.points.taken_back.v1"""

    branch_id: Id
    sale_id: UUID
    return_id: Id
    points: NotNegative


class PointLot(Struct, frozen=True):
    """Points that one sale earned; its branch where the fact tells it."""

    sale_id: UUID
    points: Positive
    branch_id: Id = "-"


class PointsRedeemed(Struct, frozen=True):
    """customers.points.redeemed.v1"""

    redemption_id: UUID
    customer_id: UUID
    branch_id: Id
    receipt_number: Id
    points: Positive
    value_fen: Positive
    lots: Annotated[list[PointLot], Meta(min_length=1)]


class PointsRestored(Struct, frozen=True):
    """customers.points.restored.v1"""

    redemption_id: UUID
    cause: Id


class PointsExpired(Struct, frozen=True):
    """customers.points.expired.v1"""

    expiry_id: UUID
    lots: list[PointLot]
    expired_on: date
