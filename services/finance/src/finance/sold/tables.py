"""What was sold, by the month of the booking day."""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    Uuid,
    text,
)

from finance.kernel.metadata import BY_MONTH, metadata
from shared.tables import INSTANT, declare

sales = Table(
    "sales",
    metadata,
    Column("sale_id", Uuid, nullable=False),
    Column("booked_on", Date, nullable=False),
    Column("business_date", Date, nullable=False),
    Column("receipt_number", Text, nullable=False),
    Column("branch_id", Text, nullable=False),
    Column("customer_id", Uuid),
    Column("channel", Text, nullable=False),
    Column("sold_at", INSTANT, nullable=False),
    Column("net_fen", BigInteger, nullable=False),
    Column("tax_fen", BigInteger, nullable=False),
    Column("total_fen", BigInteger, nullable=False),
    Column("cost_fen", BigInteger, nullable=False),
    Column("posted_by", Text, nullable=False),
    Column("posted_at", INSTANT, nullable=False),
    Column("cashier_id", Text),
    Column("shift_id", Text),
    PrimaryKeyConstraint("sale_id", "booked_on"),
    Index("sales_posted_at", "posted_at", postgresql_using="brin"),
    Index("sales_branch_day", "branch_id", "business_date", "sale_id"),
    Index("sales_customer", "customer_id", "sale_id", postgresql_where=text("customer_id is not null")),
    **BY_MONTH,
)

sale_lines = Table(
    "sale_lines",
    metadata,
    Column("sale_id", Uuid, nullable=False),
    Column("no", SmallInteger, nullable=False),
    Column("booked_on", Date, nullable=False),
    Column("line_id", Uuid, nullable=False),
    Column("branch_id", Text, nullable=False),
    Column("product_id", Text, nullable=False),
    Column("generic_name", Text, nullable=False),
    Column("category", Text, nullable=False),
    Column("temp_class", Text, nullable=False),
    Column("dosage_form", Text),
    Column("specification", Text),
    Column("mah", Text),
    Column("maker", Text),
    Column("approval_number", Text),
    Column("gtin", Text),
    Column("lot", Text, nullable=False),
    Column("lot_key", Text, nullable=False),
    Column("expiry", Date, nullable=False),
    Column("quantity", Integer, nullable=False),
    Column("unit_price_fen", BigInteger, nullable=False),
    Column("discount_fen", BigInteger, nullable=False),
    Column("net_fen", BigInteger, nullable=False),
    Column("tax_bp", Integer, nullable=False),
    Column("tax_fen", BigInteger, nullable=False),
    Column("cost_fen", BigInteger, nullable=False),
    Column("trace_codes", ARRAY(Text)),
    Column("prescription_number", Text),
    Column("prescription_reviewed_by", Text),
    Column("prescription_reviewed_at", INSTANT),
    PrimaryKeyConstraint("sale_id", "no", "booked_on"),
    CheckConstraint("quantity > 0", name="quantity"),
    Index("sale_lines_lot", "product_id", "lot_key"),
    Index(
        "sale_lines_trace_codes",
        "trace_codes",
        postgresql_using="gin",
        postgresql_where=text("trace_codes is not null"),
    ),
    **BY_MONTH,
)
"""`lot` is what the till wrote; `lot_key` is its canonical spelling, by which lots are compared everywhere."""

tenders = Table(
    "tenders",
    metadata,
    Column("sale_id", Uuid, nullable=False),
    Column("tender", Text, nullable=False),
    Column("no", SmallInteger, nullable=False, server_default="1"),
    Column("booked_on", Date, nullable=False),
    Column("branch_id", Text, nullable=False),
    Column("fen", BigInteger, nullable=False),
    Column("channel_transaction_id", Text),
    PrimaryKeyConstraint("sale_id", "tender", "no", "booked_on"),
    CheckConstraint("fen > 0", name="fen"),
    **BY_MONTH,
)
"""Payments, numbered as the receipt has them; `no` is 1 on each of a receipt from before there were several of one kind."""

declare(
    metadata,
    unless={"audit": "n.action = 'sale.post'", "outbox": "n.aggregate = 'sale'"},
    proved={
        "sales": "written down in the order of their events (finance.sold)",
        "sale_lines": "part of their sale",
        "tenders": "part of their sale",
    },
)
