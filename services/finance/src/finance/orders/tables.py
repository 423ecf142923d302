"""Orders with all they ever said, and shipments by lot."""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Sequence,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects import postgresql

from finance.kernel.metadata import metadata
from shared.tables import INSTANT, declare

order_numbers = Sequence("sales_order_numbers", metadata=metadata, data_type=BigInteger)
orders = Table(
    "sales_orders",
    metadata,
    Column("order_id", Uuid, primary_key=True),
    Column("number", Text, nullable=False, unique=True),
    Column("branch_id", Text, nullable=False),
    Column("customer_id", Uuid, nullable=False),
    Column("contract_id", Uuid),
    Column("state", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("events", Integer, nullable=False, server_default="0"),
    Column("shipments", Integer, nullable=False, server_default="0"),
    Column("proposal", postgresql.JSONB(none_as_null=True)),
    Column("proposal_hash", Text),
    Column("proposed_by", Text, nullable=False),
    Column("proposed_at", INSTANT, nullable=False),
    Column("proposer_roles", ARRAY(Text), nullable=False),
    Column("drafted_by", Text, nullable=False),
    Column("drafted_at", INSTANT, nullable=False),
    Column("confirmed_by", Text),
    Column("confirmed_at", INSTANT),
    Column("permission_version", Integer),
    Column("ended_by", Text),
    Column("ended_at", INSTANT),
    Column("ended_reason", Text),
    CheckConstraint(
        "state in ('draft', 'checked', 'confirmed', 'part_shipped', 'shipped', 'closed', 'cancelled')",
        name="state",
    ),
    CheckConstraint("(proposal is null) = (proposal_hash is null)", name="proposal"),
    CheckConstraint("state not in ('draft', 'checked') or proposal is not null", name="draft"),
    Index("sales_orders_branch", "branch_id", "order_id"),
    Index("sales_orders_customer", "customer_id", "order_id"),
    Index("sales_orders_proposed", "order_id", postgresql_where=text("proposal is not null")),
)
"""`proposal` is what a draft, a change or a re-opening wants, until it is confirmed with every check made anew."""


order_lines = Table(
    "sales_order_lines",
    metadata,
    Column("order_id", Uuid, nullable=False),
    Column("no", SmallInteger, nullable=False),
    Column("product", postgresql.JSONB, nullable=False),
    Column("quantity", Integer, nullable=False),
    Column("shipped_quantity", Integer, nullable=False, server_default="0"),
    Column("unit_price_fen", BigInteger, nullable=False),
    Column("unit_discount_fen", BigInteger, nullable=False),
    Column("tax_bp", Integer, nullable=False),
    Column("deliver_on", Date, nullable=False),
    Column("contract_line", Integer),
    Column("lots", postgresql.JSONB, nullable=False),
    Column("completed_on", Date),
    PrimaryKeyConstraint("order_id", "no"),
    CheckConstraint("shipped_quantity between 0 and quantity", name="shipped"),
    CheckConstraint("unit_discount_fen between 0 and unit_price_fen", name="discount"),
    Index("sales_order_lines_due", "deliver_on"),
)
"""What is confirmed. Prices hold the tax and are of one unit; `lots` is empty or names the lots to ship."""


revisions = Table(
    "sales_order_revisions",
    metadata,
    Column("order_id", Uuid, nullable=False),
    Column("version", Integer, nullable=False),
    Column("lines", postgresql.JSONB, nullable=False),
    Column("subject_hash", Text, nullable=False),
    Column("total_fen", BigInteger, nullable=False),
    Column("permission", postgresql.JSONB, nullable=False),
    Column("prices", postgresql.JSONB, nullable=False),
    Column("override_id", Uuid),
    Column("proposed_by", Text, nullable=False),
    Column("confirmed_by", Text, nullable=False),
    Column("confirmed_at", INSTANT, nullable=False),
    PrimaryKeyConstraint("order_id", "version"),
)
"""Every content an order was confirmed with, and what it was judged by. Rows are only added."""


approvals = Table(
    "order_approvals",
    metadata,
    Column("order_id", Uuid, nullable=False),
    Column("matter", Text, nullable=False),
    Column("subject_hash", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("approved", Boolean, nullable=False),
    Column("reason", Text),
    Column("until", INSTANT),
    Column("at", INSTANT, nullable=False),
    PrimaryKeyConstraint("order_id", "matter", "subject_hash", "role"),
    UniqueConstraint("order_id", "matter", "subject_hash", "person"),
    CheckConstraint("matter in ('discount', 'below_floor', 'credit')", name="matter"),
    CheckConstraint("(matter = 'credit' and approved) = (until is not null)", name="until"),
)
"""Decisions on one content of an order: with another hash they no longer count."""


shipments = Table(
    "shipments",
    metadata,
    Column("shipment_id", Uuid, primary_key=True),
    Column("order_id", Uuid, nullable=False),
    Column("no", Integer, nullable=False),
    Column("branch_id", Text, nullable=False),
    Column("sale_id", Uuid, nullable=False, unique=True),
    Column("receipt_number", Text, nullable=False),
    Column("sent_on", Date, nullable=False),
    Column("sent_at", INSTANT, nullable=False),
    Column("sent_by", Text, nullable=False),
    Column("confirmed_at", INSTANT, nullable=False),
    Column("total_fen", BigInteger, nullable=False),
    UniqueConstraint("order_id", "no"),
    Index("shipments_branch", "branch_id", "shipment_id"),
    Index("shipments_sent", "sent_on", "shipment_id"),
)
shipment_lines = Table(
    "shipment_lines",
    metadata,
    Column("shipment_id", Uuid, nullable=False),
    Column("no", SmallInteger, nullable=False),
    Column("order_line", SmallInteger, nullable=False),
    Column("lot", Text, nullable=False),
    Column("expiry", Date, nullable=False),
    Column("quantity", Integer, nullable=False),
    Column("unit_price_fen", BigInteger, nullable=False),
    Column("unit_discount_fen", BigInteger, nullable=False),
    Column("tax_bp", Integer, nullable=False),
    Column("cost_fen", BigInteger, nullable=False),
    Column("trace_codes", ARRAY(Text), nullable=False),
    PrimaryKeyConstraint("shipment_id", "no"),
    CheckConstraint("quantity > 0", name="quantity"),
)


declare(
    metadata,
    changes=("sales_orders", "sales_order_lines"),
    removes={"sales_order_lines": "a draft order replaces its lines"},
)
