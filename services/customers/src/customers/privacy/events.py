"""The fact that a person was forgotten."""

from collections.abc import Mapping
from datetime import date
from typing import Final, TypedDict
from uuid import UUID

from shared.events import Event
from shared.texts import (
    Id,
)


class CustomerAnonymised(TypedDict):
    """Nobody can say any more who this was."""

    customer_id: Id


def customer_anonymised(*, customer_id: UUID, version: int, on: date) -> Event[CustomerAnonymised]:
    return Event(
        type="customers.customer.anonymised.v1",
        subject=str(customer_id),
        version=version,
        day=on,
        data={"customer_id": str(customer_id)},
    )


PUBLISHED: Final[Mapping[str, type]] = {
    "customers.customer.anonymised.v1": CustomerAnonymised,
}
