"""What customers tell of offers that a promotion plan pays."""

from datetime import date
from uuid import UUID

from msgspec import Struct

from shared.texts import Branch, Fen, PositiveFen


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
