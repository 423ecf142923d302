"""The facts of the two approvals."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final, Literal

from returns.kernel.facts import Of, Returned, about
from shared.events import Event
from shared.texts import Count, Instant, Name

DECIDED = "returns.return.decided.v1"
APPROVED = "returns.return.approved.v1"
REJECTED = "returns.return.rejected.v1"


class Decided(Returned):
    """One of the two decisions, the one that rejects included.

    `business_s`: working time from the request, in the hours of the offices that decide; null where the holidays of
    that time are not announced.
    """

    role: Name
    decision: Literal["approved", "rejected"]
    business_s: Count | None


class Approved(Returned):
    """`hours` from request to second approval, rounded half up.

    `pickup_due_at` is null where no pickup is needed, and where it lies in a year whose holidays are not announced.
    """

    hours: Count
    needs_pickup: bool
    pickup_due_at: Instant | None


class Rejected(Returned):
    reason_given: bool


def decided(of: Of, *, role: str, approved: bool, business_s: int | None) -> Event[Decided]:
    decision = "approved" if approved else "rejected"
    return about(of, DECIDED, {"role": role, "decision": decision, "business_s": business_s})


def approved(of: Of, *, hours: int, needs_pickup: bool, pickup_due_at: datetime | None) -> Event[Approved]:
    """`hours` from request to second approval, rounded half up."""
    due_at = None if pickup_due_at is None else pickup_due_at.astimezone(UTC).isoformat()
    return about(of, APPROVED, {"hours": hours, "needs_pickup": needs_pickup, "pickup_due_at": due_at})


def rejected(of: Of) -> Event[Rejected]:
    return about(of, REJECTED, {"reason_given": True})


PUBLISHED: Final[Mapping[str, type]] = {DECIDED: Decided, APPROVED: Approved, REJECTED: Rejected}
