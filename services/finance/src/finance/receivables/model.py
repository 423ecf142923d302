"""What people ask of debts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Share:
    """So much of a payment is for this debt."""

    item_id: UUID
    amount_fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """Money of a customer; it pays the items of `allocations`, or with `oldest_first` those due first."""

    customer_id: UUID
    branch_id: str
    tender: str
    reference: str
    received_on: date
    amount_fen: int
    allocations: Sequence[Share] = ()
    oldest_first: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """A payment as it was booked; `item_id` is the credit that it made."""

    payment_id: UUID
    customer_id: UUID
    branch_id: str
    tender: str
    booked_on: date
    amount_fen: int
    item_id: UUID
    reversed_on: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteOff:
    """That somebody asked to write off a debt, or part of it."""

    write_off_id: UUID
    item_id: UUID
    amount_fen: int
    reason: str
    requested_by: str


@dataclass(frozen=True, slots=True)
class Bearing:
    """A debt that bears interest once it is overdue, and what was charged of it before."""

    item_id: UUID
    customer_id: UUID
    branch_id: str
    amount_fen: int
    due_on: date
    settled_on: date | None
    interest_fen: int
