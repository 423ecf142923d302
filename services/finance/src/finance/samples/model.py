"""What is asked for as samples, and what came of it."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from finance.samples import rules


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request; `category` and `expiry` are of products alone, `tax_bp` is that of what is given away."""

    branch_id: str
    kind: str
    recipient: str
    customer_id: UUID | None
    purpose: str
    product_id: str
    generic_name: str
    category: str | None
    lot: str
    expiry: date | None
    quantity: int
    tax_bp: int | None
    reason: str

    @property
    def is_packaging(self) -> bool:
        return self.kind == rules.PACKAGING

    def is_taxed(self, day: date) -> bool:
        """Whether output VAT is due with what is handed out. Raises SampleTaxRateInvalid when its rate has ended."""
        return rules.is_taxed(self.kind, self.purpose, self.recipient, self.tax_bp, day)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample(Asked):
    """A request that was taken, its row locked."""

    sample_id: UUID
    number: str
    lot_key: str
    state: str
    subject_hash: str
    requested_by: str
    issued_by: str | None


@dataclass(frozen=True, slots=True)
class DeemedSale:
    """The output VAT of what is given away; whether its `price` or its `cost` is the base."""

    vat_basis: str
    vat_base_fen: int
    vat_fen: int


@dataclass(frozen=True, slots=True)
class Issue:
    """What a sample cost that is handed out, and what that rests on."""

    booked_on: date
    cost_basis: str
    cost_fen: int
    deemed_sale: DeemedSale | None
