"""A drawer's session, what is counted in it, and what is moved. Amounts are fen."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from finance.cash.rules import Pieces


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawer:
    """`till` posts the drawer's sales."""

    branch_id: str
    drawer: str
    till: str
    registered_by: str
    registered_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A drawer from its opening on; `count_began_at` ends what counts as its sales."""

    session_id: UUID
    branch_id: str
    drawer: str
    till: str
    state: str
    float_fen: int
    from_safe_fen: int
    opened_by: str
    opened_at: datetime
    count_began_by: str | None = None
    count_began_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """What the count of a session found, what the drawer should have held, and what of it stays in the drawer."""

    denominations: Sequence[Pieces]
    cash_sales_fen: int
    movements_fen: int
    expected_fen: int
    counted_fen: int
    variance_fen: int
    carried_fen: int


@dataclass(frozen=True, slots=True)
class Place:
    """Where cash was counted: a drawer, or the safe."""

    branch_id: str
    drawer: str | None = None
    till: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Moving:
    """What is moved, and why: `fen` is above 0, `kind` says which way."""

    kind: str
    fen: int
    reason: str | None = None
    reference: str | None = None
    note: str | None = None
    refund_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """What was moved; `fen` is below 0 where it left the drawer or the safe (no session)."""

    movement_id: UUID
    branch_id: str
    session_id: UUID | None
    kind: str
    fen: int
    reason: str | None
    reference: str | None
    note: str | None
    refund_id: UUID | None
    made_by: str
    made_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """A count without notice; without a session, of the safe."""

    count_id: UUID
    branch_id: str
    session_id: UUID | None
    denominations: Sequence[Pieces]
    expected_fen: int
    counted_fen: int
    variance_fen: int
    counted_by: str
    counted_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Variance:
    """What a count found too much (above 0) or too little; `involved` handled or counted the cash."""

    variance_id: UUID
    branch_id: str
    found_on: date
    fen: int
    involved: Sequence[str]
    outcome: str | None


@dataclass(frozen=True, slots=True)
class Resolved:
    """What became of a variance, and in which role; `person` makes good where somebody does."""

    outcome: str
    person: str | None
    reason: str
    role: str
