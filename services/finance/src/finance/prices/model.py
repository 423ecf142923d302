"""What is proposed about prices."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceRule:
    """List and floor price of one unit for a kind of customer and a grade, `""` for any, from a day on."""

    product_id: str
    customer_kind: str
    grade: str
    list_fen: int
    floor_fen: int
    effective_from: date


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceGrade:
    """The grade by whose prices a customer buys from a day on; `""` takes it away."""

    customer_id: UUID
    grade: str
    effective_from: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Strategy:
    """A promotion, a price concession, or more service, of some days; empty products and kinds mean all."""

    kind: str
    name: str
    branch_id: str | None
    products: Sequence[str]
    customer_kinds: Sequence[str]
    min_quantity: int
    discount_bp: int
    service: str
    first_day: date
    last_day: date
    plan_id: UUID | None


Rule = PriceRule | PriceGrade | Strategy


@dataclass(frozen=True, slots=True)
class Proposed:
    """A rule as it was proposed, and what became of it."""

    rule_id: UUID
    rule: Rule
    state: str
    subject_hash: str
    proposed_by: str
