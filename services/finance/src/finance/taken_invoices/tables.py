"""The invoices of suppliers that were used."""

from sqlalchemy import Column, Index, Table, Text, Uuid

from finance.kernel.metadata import metadata
from shared.tables import declare

taken_invoices = Table(
    "taken_invoices",
    metadata,
    Column("invoice_no", Text, primary_key=True),
    Column("document_id", Uuid, nullable=False),
    Index("taken_invoices_claim", "document_id"),
)
"""An invoice is used once over the whole tenant, under `invoice_number.key`: by a claim, or by a purchase where the number is
nationwide. A rejected claim gives its invoices back."""

declare(metadata, removes={"taken_invoices": "a rejected claim gives its invoices free"})
