"""What the facts of this service say: the declared payload of each published type.

Ids, states and numbers, never anything personal.
"""

from collections.abc import Mapping
from typing import Annotated, Final, TypedDict

from msgspec import Meta

from customers.domain.customer import KINDS, SOURCE_CHANNELS, STATUSES
from shared.texts import (
    LINES_MAX,
    AnyDay,
    Branch,
    Day,
    EarnedPoints,
    Fen,
    Id,
    Label,
    Many,
    Name,
    Points,
    PositiveFen,
    Reference,
    Version,
    one_of,
)

Kind = Annotated[str, one_of(KINDS)]
Channel = Annotated[str, one_of(SOURCE_CHANNELS)]
Status = Annotated[str, one_of(STATUSES)]
Benefit = Annotated[str, one_of(("price", "points", "gift", "service"))]
Ending = Annotated[str, one_of(("ended", "rejected", "withdrawn"))]
Restoring = Annotated[str, one_of(("cancelled", "not_used"))]
Names = Annotated[list[Name], Many]


class CustomerRegistered(TypedDict):
    customer_id: Id
    kind: Kind
    branch_id: Branch
    source_channel: Channel
    status: Status
    registered_on: Day


class CustomerAnonymised(TypedDict):
    """Nobody can say any more who this was."""

    customer_id: Id


class PermissionChanged(TypedDict):
    """`valid_until` is the last day on which it holds; the permission ends at 24:00 Asia/Shanghai of that day."""

    customer_id: Id
    kind: Kind
    allowed: bool
    categories: Names
    reasons: Annotated[list[Label], Many]
    valid_until: AnyDay | None
    permission_version: Version


class CreditChanged(TypedDict):
    """What the customer may owe from now on; `valid_until` is the last day of it."""

    customer_id: Id
    limit_fen: Fen
    overdue_tolerance_fen: Fen
    on_hold: bool
    valid_until: Day | None
    credit_version: Version


class OfferProposed(TypedDict):
    """Asks finance to draw `cost_fen` on its promotion plan."""

    offer_id: Id
    plan_id: Id
    branch_id: Branch
    first_day: Day
    last_day: Day
    cost_fen: PositiveFen


class OfferPublished(TypedDict):
    offer_id: Id
    branch_id: Branch
    benefit: Benefit
    first_day: Day
    last_day: Day


class OfferEnded(TypedDict):
    """`used_fen` is what it cost, never more than was drawn."""

    offer_id: Id
    plan_id: Id
    branch_id: Branch
    drawing_id: Id
    ending: Ending
    used_fen: Fen


class LicenceVerified(TypedDict):
    customer_id: Id
    licence_id: Id
    type: Name
    valid_until: AnyDay | None
    scope: Names


class LicenceExpired(TypedDict):
    customer_id: Id
    licence_id: Id
    type: Name


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


PUBLISHED: Final[Mapping[str, type]] = {
    "customers.customer.registered.v1": CustomerRegistered,
    "customers.customer.anonymised.v1": CustomerAnonymised,
    "customers.permission.changed.v1": PermissionChanged,
    "customers.credit.changed.v1": CreditChanged,
    "customers.offer.proposed.v1": OfferProposed,
    "customers.offer.published.v1": OfferPublished,
    "customers.offer.ended.v1": OfferEnded,
    "customers.licence.verified.v1": LicenceVerified,
    "customers.licence.expired.v1": LicenceExpired,
    "customers.points.earned.v1": PointsEarned,
    "customers.points.taken_back.v1": PointsTakenBack,
    "customers.points.redeemed.v1": PointsRedeemed,
    "customers.points.restored.v1": PointsRestored,
    "customers.points.taken_again.v1": PointsTakenAgain,
    "customers.points.expired.v1": PointsExpired,
}
