"""The facts about pickups."""

from collections.abc import Mapping
from typing import Final

from returns.kernel.facts import Of, Returned, about
from shared.events import Event
from shared.texts import Count, Instant

PICKUP_CONFIRMED = "returns.return.pickup_confirmed.v1"
PICKUP_BREACHED = "returns.return.pickup_breached.v1"


class PickupConfirmed(Returned):
    """`hours` from the order to the confirmation, rounded half up."""

    hours: Count
    on_time: bool


class PickupBreached(Returned):
    due_at: Instant


def pickup_confirmed(of: Of, *, hours: int, on_time: bool) -> Event[PickupConfirmed]:
    """`hours` from the order to the confirmation, rounded half up."""
    return about(of, PICKUP_CONFIRMED, {"hours": hours, "on_time": on_time})


def pickup_breached(of: Of, *, due_at: str) -> Event[PickupBreached]:
    return about(of, PICKUP_BREACHED, {"due_at": due_at})


PUBLISHED: Final[Mapping[str, type]] = {PICKUP_CONFIRMED: PickupConfirmed, PICKUP_BREACHED: PickupBreached}
