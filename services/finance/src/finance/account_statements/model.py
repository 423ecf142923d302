"""What a statement of account holds, and what the customer answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID


@dataclass(frozen=True, slots=True)
class OpenItem:
    """A debt or credit with what was open of it at the end of the day."""

    item_id: UUID
    branch_id: str
    kind: str
    booked_on: date
    due_on: date
    amount_fen: int
    open_fen: int


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement of account whose row is locked."""

    statement_id: UUID
    branches: Sequence[str]
    state: str


@dataclass(frozen=True, slots=True)
class Answer:
    """The customer's word on an item: `confirmed`, or `disputed` with its reason."""

    item_id: UUID
    answer: str
    reason: str | None
