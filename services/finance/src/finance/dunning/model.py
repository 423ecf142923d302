"""What is held of a case, what is done about it, and what a letter says."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from finance.dunning.rules import Case, Level, Outcome, Promise


@dataclass(frozen=True, slots=True)
class Held:
    """A case whose row is locked."""

    case_id: UUID
    case: Case


@dataclass(frozen=True, slots=True)
class Done:
    """What somebody did about a case and what came of it; `text_version` is that of the script that was read."""

    channel: str
    outcome: Outcome
    contact_id: UUID | None
    text_version: str
    promise: Promise | None = None


@dataclass(frozen=True, slots=True)
class Overdue:
    """A debt past its day that nobody disputes."""

    item_id: UUID
    customer_id: UUID
    branch_id: str
    kind: str
    booked_on: date
    due_on: date
    amount_fen: int
    open_fen: int


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter of a level, with all that is overdue when it is issued."""

    letter_id: UUID
    customer_id: UUID
    level: Level
    language: str
    text_version: str
    items: Sequence[Overdue]
