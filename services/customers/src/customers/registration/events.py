"""The fact that a customer was registered. Nothing personal is in it."""

from collections.abc import Mapping
from datetime import date
from typing import Final, TypedDict
from uuid import UUID

from customers.kernel.fields import Channel, Kind, Status
from shared.events import Event
from shared.texts import (
    Branch,
    Day,
    Id,
)


class CustomerRegistered(TypedDict):
    customer_id: Id
    kind: Kind
    branch_id: Branch
    source_channel: Channel
    state: Status
    registered_on: Day


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
            "state": status,
            "registered_on": on.isoformat(),
        },
    )


PUBLISHED: Final[Mapping[str, type]] = {
    "customers.customer.registered.v1": CustomerRegistered,
}
