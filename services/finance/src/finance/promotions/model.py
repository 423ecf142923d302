"""What customers tell of offers that a promotion plan pays."""

from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Drawing:
    """What an offer drew on its plan; `used_fen` is what it cost in the end, None until then."""

    drawing_id: UUID
    plan_id: UUID
    offer_id: str
    amount_fen: int
    used_fen: int | None
    cause_event_id: UUID | None
    settled_event_id: UUID | None
