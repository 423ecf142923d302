"""What was sold, partitioned by month of sale, and the kind of each customer: copies of what others own."""

from sqlalchemy import BigInteger, Column, Date, Index, Integer, Table, Text

from returns.kernel.metadata import metadata
from shared.tables import INSTANT, declare

customer_kinds = Table(
    "customer_kinds",
    metadata,
    Column("customer_id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
)

sold_lines = Table(
    "sold_lines",
    metadata,
    Column("sale_day", Date, primary_key=True),
    Column("sale_id", Text, primary_key=True),
    Column("sale_line_id", Text, primary_key=True),
    Column("lot", Text, primary_key=True),
    Column("branch_id", Text, nullable=False),
    Column("receipt_number", Text, nullable=False),
    Column("customer_id", Text),
    Column("sold_at", INSTANT, nullable=False),
    Column("product_id", Text, nullable=False),
    Column("category", Text, nullable=False),
    Column("temp_class", Text, nullable=False),
    Column("expiry", Date, nullable=False),
    Column("quantity", Integer, nullable=False),
    Column("net_fen", BigInteger, nullable=False),
    Column("tax_fen", BigInteger, nullable=False),
    Column("cost_fen", BigInteger, nullable=False),
    Index("sold_lines_sale", "sale_id"),
    Index("sold_lines_receipt", "branch_id", "receipt_number"),
    postgresql_partition_by="RANGE (sale_day)",
)

voided_sales = Table("voided_sales", metadata, Column("sale_id", Text, primary_key=True))
"""Receipts whose goods never left the counter."""

declare(
    metadata,
    removes=dict.fromkeys(
        ("sold_lines", "customer_kinds", "voided_sales"),
        "filled anew when a source has lost the end of its log",
    ),
)
