"""What an order is, what is asked of it, what a shipment of it holds."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Any
from uuid import UUID

from msgspec import Struct

from finance.orders.rules import Line, Verdict, state_of
from finance.prices import Prices
from shared.errors import DomainError


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """The row of an order. `proposal` is what a draft, a change or a re-opening wants until it is confirmed."""

    order_id: UUID
    number: str
    branch_id: str
    customer_id: UUID
    contract_id: UUID | None
    state: str
    version: int
    shipments: int
    proposal: Sequence[Line] | None
    proposal_hash: str | None
    proposed_by: str
    proposer_roles: Sequence[str]
    drafted_by: str
    confirmed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposed(Order):
    """An order that proposes something: a draft does, and what waits for its change or re-opening."""

    proposal: Sequence[Line]
    proposal_hash: str


Confirmed = Mapping[int, tuple[Line, int]]
"""What is confirmed of an order, with what is shipped of it, by line."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a customer asks for."""

    branch_id: str
    customer_id: UUID
    contract_id: UUID | None
    lines: Sequence[Line]


@dataclass(frozen=True, slots=True)
class Decided:
    """One person's word on a matter of this version of what is proposed; `until` ends an override of credit."""

    version: int
    matter: str
    approved: bool
    reason: str | None
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Priced:
    """The prices in force for a line, and what the price that it asks needs by them."""

    prices: Prices
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Fault:
    """A refusal that stands in an order's way, and what it is about."""

    refusal: DomainError
    path: str

    def told(self) -> dict[str, Any]:
        """As problem documents list it."""
        context = {name: value for name, value in self.refusal.context.items() if name != "errors"}
        return {"code": self.refusal.code, "path": self.path, "message": self.refusal.detail, **context}


class Parcel(Struct, frozen=True):
    """Units of one lot for one line; `cost_fen` is that of all of them, without tax."""

    line_no: int
    lot: str
    expiry: date
    quantity: int
    cost_fen: int
    trace_codes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Delivery:
    """The parcels that are to leave, with the order as it stands before."""

    order: Order
    confirmed: Confirmed
    parcels: Sequence[Parcel]

    @property
    def no(self) -> int:
        return self.order.shipments + 1

    @cached_property
    def sent(self) -> Mapping[int, int]:
        """What leaves of each line, in units."""
        sent: dict[int, int] = {}
        for parcel in self.parcels:
            sent[parcel.line_no] = sent.get(parcel.line_no, 0) + parcel.quantity
        return sent

    @property
    def packed(self) -> Iterator[tuple[Parcel, Line]]:
        """Each parcel with the line that it is of."""
        return ((parcel, self.confirmed[parcel.line_no][0]) for parcel in self.parcels)

    @property
    def total_fen(self) -> int:
        return sum(parcel.quantity * line.asked_fen for parcel, line in self.packed)

    @property
    def after(self) -> Mapping[int, tuple[int, int]]:
        """Ordered and shipped of each line, once they left."""
        return {
            no: (line.quantity, shipped + self.sent.get(no, 0))
            for no, (line, shipped) in self.confirmed.items()
        }

    @property
    def state(self) -> str:
        """The order's, once they left."""
        return state_of(list(self.after.values()))


@dataclass(frozen=True, slots=True)
class Shipment:
    """A delivery that became a sale."""

    shipment_id: UUID
    delivery: Delivery
    sale_id: str
    receipt_number: str
    sent_on: date
    booked_on: date
