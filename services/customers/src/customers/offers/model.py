"""An offer, and what finance says of its money."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from msgspec import Struct

from shared.errors import NotFound
from shared.texts import Name


class DrawingGranted(Struct, frozen=True):
    """finance.drawing.granted.v1"""

    offer_id: UUID
    drawing_id: UUID


class DrawingRefused(Struct, frozen=True):
    """finance.drawing.refused.v1"""

    offer_id: UUID
    code: Name


OPEN = ("asking", "funded", "published")
WRITTEN = frozenset(
    {
        "plan_id",
        "branch_id",
        "title",
        "benefit",
        "terms",
        "first_day",
        "last_day",
        "cost_fen",
    }
)
"""What its author wrote; it never changes."""


class OfferNotFound(NotFound):
    code = "offer_not_found"
    cure = "Look the offer up in the list of offers."


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """`cost_fen` is what it may cost and draws on its plan, `used_fen` what it cost; both days count."""

    offer_id: UUID
    plan_id: UUID
    branch_id: str
    title: str
    benefit: str
    terms: str
    first_day: date
    last_day: date
    cost_fen: int
    state: str
    version: int
    proposed_by: str
    proposed_at: datetime
    drawing_id: UUID | None
    refusal: str | None
    used_fen: int | None
    subject_hash: str
    answer_event_id: UUID | None = None
    """The event of finance that granted or refused."""
