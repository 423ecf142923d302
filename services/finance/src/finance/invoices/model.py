"""What is told of an invoice that the tax office's system issued, and what is kept of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from finance.invoices.rules import Rates


@dataclass(frozen=True, slots=True)
class Blue:
    """An invoice of sales, of each all that is left unless it says less; `rates` is what the paper says in all."""

    number: str
    kind: str
    issued_on: date
    sales: Mapping[UUID, Rates | None]
    rates: Rates


@dataclass(frozen=True, slots=True)
class Red:
    """It takes back a blue one: the part of a refund, or for an error all that is left of it."""

    number: str
    issued_on: date
    refund_id: UUID | None
    rates: Rates


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoice:
    """An invoice as it is kept; a red one names the blue one that it `reverses`."""

    invoice_id: UUID
    number: str
    kind: str
    colour: str
    reverses: UUID | None = None
    reason: str | None = None
    refund_id: UUID | None = None
    branch_id: str
    customer_id: UUID | None
    issued_on: date
    net_fen: int
    tax_fen: int
    total_fen: int
    keep_until: date
    issued_by: str
    issued_at: datetime
