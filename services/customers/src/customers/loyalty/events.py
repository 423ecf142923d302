"""The facts about points."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Final, TypedDict
from uuid import UUID

from msgspec import Meta

from shared.events import Event
from shared.texts import (
    LINES_MAX,
    Branch,
    Day,
    EarnedPoints,
    Fen,
    Id,
    MovedPoints,
    Points,
    PositiveFen,
    Reference,
    one_of,
)

Correcting = Annotated[str, one_of(("sale_lost", "refund_lost"))]
Restoring = Annotated[str, one_of(("cancelled", "not_used"))]


class PointsEarned(TypedDict):
    """The first fact about the points of a sale; `money_basis_fen` is what of the sale earned them."""

    customer_id: Id
    branch_id: Branch
    sale_id: Id
    points: EarnedPoints
    money_basis_fen: Fen


class PointsTakenBack(TypedDict):
    """One per refund of a sale that earned; `points` is what this refund takes back."""

    customer_id: Id
    branch_id: Branch
    sale_id: Id
    return_id: Id
    points: Points


class PointsCorrected(TypedDict):
    """What makes good a sale or a refund that finance's log lost: `points` is what the customer gets, or loses."""

    customer_id: Id
    branch_id: Branch
    sale_id: Id
    return_id: Id | None
    points: MovedPoints
    cause: Correcting
    lost_event_id: Id


class PointLot(TypedDict):
    """Points that one sale earned."""

    sale_id: Id
    points: EarnedPoints


class PointLotOfBranch(PointLot):
    branch_id: Branch


PointLots = Annotated[list[PointLot], Meta(min_length=1, max_length=LINES_MAX)]


class PointsRedeemed(TypedDict):
    """Points set aside to pay a receipt; the first of `lots` are consumed first."""

    redemption_id: Id
    customer_id: Id
    branch_id: Branch
    receipt_number: Reference
    points: EarnedPoints
    value_fen: PositiveFen
    lots: PointLots


class PointsRestored(TypedDict):
    """Nobody used a redemption, as far as we know, and its points went back."""

    redemption_id: Id
    customer_id: Id
    branch_id: Branch
    points: EarnedPoints
    lots: PointLots
    cause: Restoring


class PointsTakenAgain(TypedDict):
    """A sale had used the redemption whose points went back: they are taken again; follows its `restored`."""

    redemption_id: Id
    customer_id: Id
    branch_id: Branch
    sale_id: Id
    points: EarnedPoints


class PointsExpired(TypedDict):
    """What expired of an account at once."""

    expiry_id: Id
    customer_id: Id
    points: EarnedPoints
    lots: Annotated[list[PointLotOfBranch], Meta(min_length=1, max_length=LINES_MAX)]
    expired_on: Day


def points_earned(
    *, customer_id: str, branch_id: str, sale_id: str, points: int, money_basis_fen: int, on: date
) -> Event[PointsEarned]:
    """The first fact about the points of a sale; `money_basis_fen` is what of the sale earned them."""
    data: PointsEarned = {
        "customer_id": customer_id,
        "branch_id": branch_id,
        "sale_id": sale_id,
        "points": points,
        "money_basis_fen": money_basis_fen,
    }
    return Event(type="customers.points.earned.v1", subject=sale_id, version=1, day=on, data=data)


def points_taken_back(
    *, customer_id: str, branch_id: str, sale_id: str, return_id: str, points: int, version: int, on: date
) -> Event[PointsTakenBack]:
    """One per refund of a sale that earned; `points` ≥ 0 is what this refund takes back."""
    data: PointsTakenBack = {
        "customer_id": customer_id,
        "branch_id": branch_id,
        "sale_id": sale_id,
        "return_id": return_id,
        "points": points,
    }
    return Event(type="customers.points.taken_back.v1", subject=sale_id, version=version, day=on, data=data)


def points_corrected(
    *,
    customer_id: str,
    branch_id: str,
    sale_id: str,
    return_id: str | None,
    points: int,
    cause: str,
    lost_event_id: UUID,
    version: int,
    on: date,
) -> Event[PointsCorrected]:
    """`points` ≠ 0 is what the customer gets; negative: loses. `return_id` is that of a lost refund."""
    data: PointsCorrected = {
        "customer_id": customer_id,
        "branch_id": branch_id,
        "sale_id": sale_id,
        "return_id": return_id,
        "points": points,
        "cause": cause,
        "lost_event_id": str(lost_event_id),
    }
    return Event(type="customers.points.corrected.v1", subject=sale_id, version=version, day=on, data=data)


def points_redeemed(
    *,
    redemption_id: UUID,
    customer_id: str,
    branch_id: str,
    receipt_number: str,
    points: int,
    value_fen: int,
    lots: Sequence[tuple[str, int]],
    on: date,
) -> Event[PointsRedeemed]:
    """Points set aside to pay a receipt; `lots` are (sale that earned them, points), the first consumed first."""
    return Event(
        type="customers.points.redeemed.v1",
        subject=str(redemption_id),
        version=1,
        day=on,
        amount_fen=value_fen,
        data={
            "redemption_id": str(redemption_id),
            "customer_id": customer_id,
            "branch_id": branch_id,
            "receipt_number": receipt_number,
            "points": points,
            "value_fen": value_fen,
            "lots": [{"sale_id": sale_id, "points": part} for sale_id, part in lots],
        },
    )


def points_restored(
    *,
    redemption_id: UUID,
    customer_id: str,
    branch_id: str,
    points: int,
    lots: Sequence[tuple[str, int]],
    cause: str,
    on: date,
    version: int = 2,
) -> Event[PointsRestored]:
    """Nobody used a redemption, as far as we know, and its points went back; `cause` is cancelled or not_used.

    The fourth fact of a redemption says so again, when the sale that took its points again was lost.
    """
    data: PointsRestored = {
        "redemption_id": str(redemption_id),
        "customer_id": customer_id,
        "branch_id": branch_id,
        "points": points,
        "lots": [{"sale_id": sale_id, "points": part} for sale_id, part in lots],
        "cause": cause,
    }
    return Event(
        type="customers.points.restored.v1", subject=str(redemption_id), version=version, day=on, data=data
    )


def points_taken_again(
    *,
    redemption_id: UUID,
    customer_id: str,
    branch_id: str,
    sale_id: str,
    points: int,
    version: int,
    on: date,
) -> Event[PointsTakenAgain]:
    """A sale had used the redemption whose points went back: they are taken again; follows its `restored`."""
    data: PointsTakenAgain = {
        "redemption_id": str(redemption_id),
        "customer_id": customer_id,
        "branch_id": branch_id,
        "sale_id": sale_id,
        "points": points,
    }
    return Event(
        type="customers.points.taken_again.v1", subject=str(redemption_id), version=version, day=on, data=data
    )


def points_expired(
    *, expiry_id: UUID, customer_id: str, lots: Sequence[tuple[str, str, int]], version: int, on: date
) -> Event[PointsExpired]:
    """What expired of an account at once; `lots` are (sale that earned them, its branch, points)."""
    data: PointsExpired = {
        "expiry_id": str(expiry_id),
        "customer_id": customer_id,
        "points": sum(points for _, _, points in lots),
        "lots": [{"sale_id": sale, "branch_id": branch, "points": part} for sale, branch, part in lots],
        "expired_on": on.isoformat(),
    }
    return Event(type="customers.points.expired.v1", subject=customer_id, version=version, day=on, data=data)


PUBLISHED: Final[Mapping[str, type]] = {
    "customers.points.earned.v1": PointsEarned,
    "customers.points.taken_back.v1": PointsTakenBack,
    "customers.points.corrected.v1": PointsCorrected,
    "customers.points.redeemed.v1": PointsRedeemed,
    "customers.points.restored.v1": PointsRestored,
    "customers.points.taken_again.v1": PointsTakenAgain,
    "customers.points.expired.v1": PointsExpired,
}
