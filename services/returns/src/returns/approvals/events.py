"""The facts of the two approvals."""

from collections.abc import Mapping
from typing import Final

from returns.kernel.facts import Of, Returned, about
from shared.events import Event
from shared.texts import Count

APPROVED = "returns.return.approved.v1"
REJECTED = "returns.return.rejected.v1"


class Approved(Returned):
    """`hours` from request to second approval, rounded half up."""

    hours: Count


class Rejected(Returned):
    reason_given: bool


def approved(of: Of, *, hours: int) -> Event[Approved]:
    """`hours` from request to second approval, rounded half up."""
    return about(of, APPROVED, {"hours": hours})


def rejected(of: Of) -> Event[Rejected]:
    return about(of, REJECTED, {"reason_given": True})


PUBLISHED: Final[Mapping[str, type]] = {APPROVED: Approved, REJECTED: Rejected}
