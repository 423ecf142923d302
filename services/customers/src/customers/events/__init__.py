"""The facts this service publishes, one builder each; what each says is declared in `payloads`."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from customers.events.payloads import (
    PUBLISHED,
    CreditChanged,
    CustomerAnonymised,
    CustomerRegistered,
    LicenceExpired,
    LicenceVerified,
    OfferEnded,
    OfferProposed,
    OfferPublished,
    PermissionChanged,
    PointsEarned,
    PointsExpired,
    PointsRedeemed,
    PointsRestored,
    PointsTakenAgain,
    PointsTakenBack,
)
from shared.events import Event

__all__ = ["PUBLISHED"]


def customer_registered(
    *, customer_id: UUID, kind: str, branch_id: str, source_channel: str, status: str, on: date
) -> Event[CustomerRegistered]:
    return Event(
        type="customers.customer.registered.v1",
        subject=str(customer_id),
        version=1,
        day=on,
        data={
            "customer_id": str(customer_id),
            "kind": kind,
            "branch_id": branch_id,
            "source_channel": source_channel,
            "status": status,
            "registered_on": on.isoformat(),
        },
    )


def customer_anonymised(*, customer_id: UUID, version: int, on: date) -> Event[CustomerAnonymised]:
    return Event(
        type="customers.customer.anonymised.v1",
        subject=str(customer_id),
        version=version,
        day=on,
        data={"customer_id": str(customer_id)},
    )


def permission_changed(
    *,
    customer_id: UUID,
    kind: str,
    allowed: bool,
    categories: Sequence[str],
    reasons: Sequence[str],
    valid_until: date | None,
    permission_version: int,
    on: date,
) -> Event[PermissionChanged]:
    """`valid_until` is the last day on which it holds; the permission ends at 24:00 Asia/Shanghai of that day."""
    return Event(
        type="customers.permission.changed.v1",
        subject=str(customer_id),
        version=permission_version,
        day=on,
        data={
            "customer_id": str(customer_id),
            "kind": kind,
            "allowed": allowed,
            "categories": list(categories),
            "reasons": list(reasons),
            "valid_until": valid_until.isoformat() if valid_until else None,
            "permission_version": permission_version,
        },
    )


def credit_changed(
    *,
    customer_id: UUID,
    limit_fen: int,
    overdue_tolerance_fen: int,
    on_hold: bool,
    valid_until: date | None,
    credit_version: int,
    on: date,
) -> Event[CreditChanged]:
    """What the customer may owe from now on; `valid_until` is the last day of it."""
    return Event(
        type="customers.credit.changed.v1",
        subject=str(customer_id),
        version=credit_version,
        day=on,
        data={
            "customer_id": str(customer_id),
            "limit_fen": limit_fen,
            "overdue_tolerance_fen": overdue_tolerance_fen,
            "on_hold": on_hold,
            "valid_until": valid_until.isoformat() if valid_until else None,
            "credit_version": credit_version,
        },
    )


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


def licence_verified(
    *,
    customer_id: UUID,
    licence_id: UUID,
    licence_type: str,
    valid_until: date | None,
    scope: Sequence[str],
    version: int,
    on: date,
) -> Event[LicenceVerified]:
    return Event(
        type="customers.licence.verified.v1",
        subject=str(licence_id),
        version=version,
        day=on,
        data={
            "customer_id": str(customer_id),
            "licence_id": str(licence_id),
            "type": licence_type,
            "valid_until": valid_until.isoformat() if valid_until else None,
            "scope": list(scope),
        },
    )


def licence_expired(
    *, customer_id: UUID, licence_id: UUID, licence_type: str, version: int, on: date
) -> Event[LicenceExpired]:
    return Event(
        type="customers.licence.expired.v1",
        subject=str(licence_id),
        version=version,
        day=on,
        data={"customer_id": str(customer_id), "licence_id": str(licence_id), "type": licence_type},
    )


def points_earned(
    *, customer_id: str, branch_id: str, sale_id: str, points: int, money_basis_fen: int, on: date
) -> Event[PointsEarned]:
    """The first fact about the points of a sale; `money_basis_fen` is what of the sale earned them."""
    return Event(
        type="customers.points.earned.v1",
        subject=sale_id,
        version=1,
        day=on,
        data={
            "customer_id": customer_id,
            "branch_id": branch_id,
            "sale_id": sale_id,
            "points": points,
            "money_basis_fen": money_basis_fen,
        },
    )


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
) -> Event[PointsRestored]:
    """Nobody used a redemption, as far as we know, and its points went back; `cause` is cancelled or not_used."""
    return Event(
        type="customers.points.restored.v1",
        subject=str(redemption_id),
        version=2,
        day=on,
        data={
            "redemption_id": str(redemption_id),
            "customer_id": customer_id,
            "branch_id": branch_id,
            "points": points,
            "lots": [{"sale_id": sale_id, "points": part} for sale_id, part in lots],
            "cause": cause,
        },
    )


def points_taken_again(
    *, redemption_id: UUID, customer_id: str, branch_id: str, sale_id: str, points: int, on: date
) -> Event[PointsTakenAgain]:
    """A sale had used the redemption whose points went back: they are taken again; follows its `restored`."""
    return Event(
        type="customers.points.taken_again.v1",
        subject=str(redemption_id),
        version=3,
        day=on,
        data={
            "redemption_id": str(redemption_id),
            "customer_id": customer_id,
            "branch_id": branch_id,
            "sale_id": sale_id,
            "points": points,
        },
    )


def points_expired(
    *,
    expiry_id: UUID,
    customer_id: str,
    lots: Sequence[tuple[str, str, int]],
    version: int,
    on: date,
) -> Event[PointsExpired]:
    """What expired of an account at once; `lots` are (sale that earned them, its branch, points)."""
    return Event(
        type="customers.points.expired.v1",
        subject=customer_id,
        version=version,
        day=on,
        data={
            "expiry_id": str(expiry_id),
            "customer_id": customer_id,
            "points": sum(points for _, _, points in lots),
            "lots": [
                {"sale_id": sale_id, "branch_id": branch_id, "points": points}
                for sale_id, branch_id, points in lots
            ],
            "expired_on": on.isoformat(),
        },
    )
