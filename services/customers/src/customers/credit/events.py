"""The fact that a credit took effect."""

from collections.abc import Mapping
from datetime import date
from typing import Final, TypedDict
from uuid import UUID

from shared.events import Event
from shared.texts import (
    Branch,
    Day,
    Fen,
    Id,
    Version,
)


class CreditChanged(TypedDict):
    """What the customer may owe from now on; `valid_until` is the last day of it."""

    customer_id: Id
    branch_id: Branch
    limit_fen: Fen
    overdue_tolerance_fen: Fen
    on_hold: bool
    valid_until: Day | None
    credit_version: Version


def credit_changed(
    *,
    customer_id: UUID,
    branch_id: str,
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
            "branch_id": branch_id,
            "limit_fen": limit_fen,
            "overdue_tolerance_fen": overdue_tolerance_fen,
            "on_hold": on_hold,
            "valid_until": valid_until.isoformat() if valid_until else None,
            "credit_version": credit_version,
        },
    )


PUBLISHED: Final[Mapping[str, type]] = {
    "customers.credit.changed.v1": CreditChanged,
}
