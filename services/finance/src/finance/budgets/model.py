"""A budget as it stands. Amounts are fen."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Whose the budget is, its amount, and what of it is reserved or spent; without a plan `campaign` is ''."""

    branch_id: str
    campaign: str
    amount_fen: int
    used_fen: int
    overrun: str
