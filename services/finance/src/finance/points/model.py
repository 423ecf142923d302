"""What customers tell of points."""

from datetime import date
from typing import Annotated, TypedDict
from uuid import UUID

from msgspec import Meta, Struct

from shared.texts import (
    LINES_MAX,
    Branch,
    EarnedPoints,
    Id,
    MovedPoints,
    Name,
    Points,
    PositiveFen,
    Reference,
)


class RestoredPoints(TypedDict, total=False):
    """What a refund that is paid in points tells: the redemption and the whole points that come back of it."""

    redemption_id: Id
    points: Points


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
