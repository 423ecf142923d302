"""A budget as it stands. Amounts are fen."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Whose the budget is, its amount, and what of it is reserved or spent; without a plan `campaign` is ''."""

    branch_id: str
    campaign: str
    amount_fen: int
    used_fen: int
    overrun: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A budget as others hear of it; a dimension that does not apply is ''."""

    budget_id: UUID
    version: int
    branch_id: str
    department: str
    category: str
    campaign: str
    first_day: date
    last_day: date
    amount_fen: int
    reserved_fen: int
    actual_fen: int
