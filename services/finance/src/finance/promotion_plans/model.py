"""A promotion plan: forecast, budget, result."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """Finance's forecast and budget for a campaign; empty `products` mean all."""

    code: str
    branch_id: str
    first_day: date
    last_day: date
    products: Sequence[str]
    baseline_net_fen: int
    baseline_margin_fen: int
    uplift_bp: int
    budget_fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan(Forecast):
    """A plan; it has its budget once it is approved, and its result once it is closed."""

    plan_id: UUID
    state: str
    subject_hash: str
    prepared_by: str
    budget_id: UUID | None
    net_fen: int | None
    margin_fen: int | None
    spent_fen: int | None
    roi_bp: int | None
