"""The facts about drawings on promotion plans; ids and numbers only."""

from collections.abc import Mapping
from datetime import date
from typing import Final, TypedDict
from uuid import UUID

from finance.promotions.model import OfferProposed
from shared.events import Event
from shared.texts import Branch, Id, Name, PositiveFen

DRAWING_GRANTED = "finance.drawing.granted.v1"
DRAWING_REFUSED = "finance.drawing.refused.v1"


class OfDrawing(TypedDict):
    offer_id: Id
    plan_id: Id
    branch_id: Branch


class DrawingGranted(OfDrawing):
    """The plan's budget holds what the offer may cost."""

    drawing_id: Id
    drawn_fen: PositiveFen


class DrawingRefused(OfDrawing):
    """Nothing was reserved; `code` is that of the refusal."""

    code: Name


PUBLISHED: Final[Mapping[str, type]] = {
    DRAWING_GRANTED: DrawingGranted,
    DRAWING_REFUSED: DrawingRefused,
}


def drawing_granted(offer: OfferProposed, *, drawing_id: UUID, day: date) -> Event[DrawingGranted]:
    """The plan's budget holds what the offer may cost."""
    return Event(
        type=DRAWING_GRANTED,
        subject=str(offer.offer_id),
        version=1,
        day=day,
        amount_fen=offer.cost_fen,
        data={**_asked(offer), "drawing_id": str(drawing_id), "drawn_fen": offer.cost_fen},
    )


def drawing_refused(offer: OfferProposed, *, code: str, day: date) -> Event[DrawingRefused]:
    """Nothing was reserved; `code` is that of the refusal."""
    return Event(
        type=DRAWING_REFUSED,
        subject=str(offer.offer_id),
        version=1,
        day=day,
        amount_fen=0,
        data={**_asked(offer), "code": code},
    )


def _asked(offer: OfferProposed) -> OfDrawing:
    return {
        "offer_id": str(offer.offer_id),
        "plan_id": str(offer.plan_id),
        "branch_id": offer.branch_id,
    }
