"""What is bought, and what leaves lots."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple
from uuid import UUID

from shared.money import tax_of

Lot = tuple[str, str]
"""(product_id, lot in canonical spelling)"""
Change = tuple[int, int, int, int]
"""Quantity, value, and what is posted for them to cost of goods and to samples."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bought:
    """Units of one lot; `unit_price` is in fen, without tax."""

    product_id: str
    lot: str
    expiry: date | None
    quantity: int
    unit_price: int
    tax_bp: int

    @property
    def net_fen(self) -> int:
        return self.quantity * self.unit_price

    @property
    def tax_fen(self) -> int:
        """Rounded half up, per line."""
        return tax_of(self.net_fen, self.tax_bp)


@dataclass(frozen=True, slots=True, kw_only=True)
class Purchase:
    """An invoice of a supplier with the goods it is for."""

    branch_id: str
    supplier_id: str
    invoice_no: str
    received_on: date
    lines: Sequence[Bought]

    @property
    def net_fen(self) -> int:
        return sum(line.net_fen for line in self.lines)

    @property
    def tax_fen(self) -> int:
        return sum(line.tax_fen for line in self.lines)


@dataclass(frozen=True, slots=True)
class Reference:
    """The price that a purchase is compared with: the `standard` in force, else the `last` that was paid."""

    kind: str
    price_fen: int


class Span(NamedTuple):
    """Days of a branch, both inclusive."""

    branch_id: str
    first: date
    last: date


@dataclass(frozen=True, slots=True, kw_only=True)
class CostRun:
    """A run over the days of a branch; `no` counts those of its month."""

    run_id: UUID
    branch_id: str
    month: date
    no: int
    from_day: date
    until_day: date
    lots: int
    adjustment_fen: int
    samples_fen: int
