"""The tables of invoices: what was issued, and which amounts of which sales it covers."""

from sqlalchemy import BigInteger, CheckConstraint, Column, Date, Index, Integer, Table, Text, Uuid, text

from finance.kernel.metadata import metadata
from shared.tables import INSTANT

invoices = Table(
    "invoices",
    metadata,
    Column("invoice_id", Uuid, primary_key=True),
    Column("number", Text, nullable=False, unique=True),
    Column("kind", Text, nullable=False),
    Column("colour", Text, nullable=False),
    Column("reverses", Uuid),
    Column("reason", Text),
    Column("refund_id", Uuid),
    Column("branch_id", Text, nullable=False),
    Column("customer_id", Uuid),
    Column("issued_on", Date, nullable=False),
    Column("net_fen", BigInteger, nullable=False),
    Column("tax_fen", BigInteger, nullable=False),
    Column("total_fen", BigInteger, nullable=False),
    Column("keep_until", Date, nullable=False),
    Column("issued_by", Text, nullable=False),
    Column("issued_at", INSTANT, nullable=False),
    CheckConstraint("kind in ('special', 'ordinary')", name="kind"),
    CheckConstraint("colour in ('blue', 'red')", name="colour"),
    CheckConstraint("(colour = 'red') = (reverses is not null)", name="reverses"),
    CheckConstraint("(colour = 'red') = (reason is not null)", name="reason"),
    CheckConstraint("coalesce(reason = 'return', false) = (refund_id is not null)", name="refund"),
    CheckConstraint("total_fen = net_fen + tax_fen and total_fen > 0", name="total"),
    Index("invoices_issued", "issued_on", "branch_id"),
    Index("invoices_reverses", "reverses", postgresql_where=text("reverses is not null")),
    Index("invoices_customer", "customer_id", "invoice_id", postgresql_where=text("customer_id is not null")),
)
"""An invoice is never changed: a red one takes back what a blue one said, in its own positive amounts."""

invoice_amounts = Table(
    "invoice_amounts",
    metadata,
    Column("invoice_id", Uuid, primary_key=True),
    Column("sale_id", Uuid, primary_key=True),
    Column("tax_bp", Integer, primary_key=True),
    Column("net_fen", BigInteger, nullable=False),
    Column("tax_fen", BigInteger, nullable=False),
    CheckConstraint("net_fen >= 0 and tax_fen >= 0", name="fen"),
    Index("invoice_amounts_sale", "sale_id"),
)
"""What an invoice says of a sale, per VAT rate."""
