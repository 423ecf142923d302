"""The facts about offers."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Final, TypedDict
from uuid import UUID

from shared.events import Event
from shared.texts import (
    Branch,
    Day,
    Fen,
    Id,
    PositiveFen,
    one_of,
)

Benefit = Annotated[str, one_of(("price", "points", "gift", "service"))]
Ending = Annotated[str, one_of(("ended", "rejected", "withdrawn"))]


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


def offer_proposed(
    *,
    offer_id: UUID,
    plan_id: UUID,
    branch_id: str,
    first_day: date,
    last_day: date,
    cost_fen: int,
    on: date,
) -> Event[OfferProposed]:
    """Asks finance to draw `cost_fen` on its promotion plan."""
    return Event(
        type="customers.offer.proposed.v1",
        subject=str(offer_id),
        version=1,
        day=on,
        amount_fen=cost_fen,
        data={
            "offer_id": str(offer_id),
            "plan_id": str(plan_id),
            "branch_id": branch_id,
            "first_day": first_day.isoformat(),
            "last_day": last_day.isoformat(),
            "cost_fen": cost_fen,
        },
    )


def offer_published(
    *, offer_id: UUID, branch_id: str, benefit: str, first_day: date, last_day: date, version: int, on: date
) -> Event[OfferPublished]:
    return Event(
        type="customers.offer.published.v1",
        subject=str(offer_id),
        version=version,
        day=on,
        data={
            "offer_id": str(offer_id),
            "branch_id": branch_id,
            "benefit": benefit,
            "first_day": first_day.isoformat(),
            "last_day": last_day.isoformat(),
        },
    )


def offer_ended(
    *,
    offer_id: UUID,
    plan_id: UUID,
    branch_id: str,
    drawing_id: UUID,
    ending: str,
    used_fen: int,
    version: int,
    on: date,
) -> Event[OfferEnded]:
    """`ending` is ended, rejected or withdrawn; `used_fen` what it cost, never more than was drawn."""
    return Event(
        type="customers.offer.ended.v1",
        subject=str(offer_id),
        version=version,
        day=on,
        amount_fen=used_fen,
        data={
            "offer_id": str(offer_id),
            "plan_id": str(plan_id),
            "branch_id": branch_id,
            "drawing_id": str(drawing_id),
            "ending": ending,
            "used_fen": used_fen,
        },
    )


PUBLISHED: Final[Mapping[str, type]] = {
    "customers.offer.proposed.v1": OfferProposed,
    "customers.offer.published.v1": OfferPublished,
    "customers.offer.ended.v1": OfferEnded,
}
