"""The facts expenses publish; ids and numbers only."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from finance.expenses.rules import Item, cost_fen
from finance.subscriptions import OfferProposed
from shared.events import Event

EXPENSE_AUDITED = "finance.expense.audited.v1"
EXPENSE_APPROVED = "finance.expense.approved.v1"
EXPENSE_PAID = "finance.expense.paid.v1"
DRAWING_GRANTED = "finance.drawing.granted.v1"
DRAWING_REFUSED = "finance.drawing.refused.v1"
PUBLISHED = (
    EXPENSE_AUDITED,
    EXPENSE_APPROVED,
    EXPENSE_PAID,
    DRAWING_GRANTED,
    DRAWING_REFUSED,
)


def _head(claim: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "claim_id": str(claim["claim_id"]),
        "branch_id": claim["branch_id"],
        "department": claim["department"] or None,
        "campaign": claim["campaign"] or None,
        "claimed_fen": claim["claimed_fen"],
    }


def expense_audited(claim: Mapping[str, Any], *, accepted_fen: int, hit: bool, day: date) -> Event:
    """What finance's audit left of a claim; `hit` says that it reduced or refused something (M28)."""
    return Event(
        type=EXPENSE_AUDITED,
        subject=str(claim["claim_id"]),
        version=1,
        day=day,
        amount_fen=accepted_fen,
        data={**_head(claim), "accepted_fen": accepted_fen, "hit": hit},
    )


def expense_approved(claim: Mapping[str, Any], items: Sequence[Item], *, day: date) -> Event:
    """Booked: what each category costs, without the tax that is deducted."""
    by_category: dict[str, int] = {}
    for item in items:
        by_category[item.category] = by_category.get(item.category, 0) + cost_fen(item)
    total = sum(item.counted_fen for item in items)
    return Event(
        type=EXPENSE_APPROVED,
        subject=str(claim["claim_id"]),
        version=2,
        day=day,
        amount_fen=total,
        data={
            **_head(claim),
            "accepted_fen": total,
            "booked_on": day.isoformat(),
            "costs": [{"category": name, "cost_fen": fen} for name, fen in sorted(by_category.items())],
        },
    )


def expense_paid(claim: Mapping[str, Any], *, paid_from: str, day: date) -> Event:
    return Event(
        type=EXPENSE_PAID,
        subject=str(claim["claim_id"]),
        version=3,
        day=day,
        amount_fen=claim["accepted_fen"],
        data={
            "claim_id": str(claim["claim_id"]),
            "branch_id": claim["branch_id"],
            "paid_from": paid_from,
            "paid_fen": claim["accepted_fen"],
            "paid_on": day.isoformat(),
        },
    )


def drawing_granted(offer: OfferProposed, *, drawing_id: UUID, day: date) -> Event:
    """The plan's budget holds what the offer may cost."""
    return Event(
        type=DRAWING_GRANTED,
        subject=str(offer.offer_id),
        version=1,
        day=day,
        amount_fen=offer.cost_fen,
        data={**_asked(offer), "drawing_id": str(drawing_id), "drawn_fen": offer.cost_fen},
    )


def drawing_refused(offer: OfferProposed, *, code: str, day: date) -> Event:
    """Nothing was reserved; `code` is that of the refusal."""
    return Event(
        type=DRAWING_REFUSED,
        subject=str(offer.offer_id),
        version=1,
        day=day,
        amount_fen=0,
        data={**_asked(offer), "code": code},
    )


def _asked(offer: OfferProposed) -> dict[str, Any]:
    return {
        "offer_id": str(offer.offer_id),
        "plan_id": str(offer.plan_id),
        "branch_id": offer.branch_id,
    }
