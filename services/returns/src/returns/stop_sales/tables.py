"""Lots off sale, and the requests to let them back."""

from sqlalchemy import ARRAY, CheckConstraint, Column, ForeignKey, Index, Table, Text, Uuid, text

from returns.kernel.metadata import metadata
from shared.approvals import decision_columns
from shared.tables import INSTANT, declare

stop_sales = Table(
    "stop_sales",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("product_id", Text, nullable=False),
    Column("lots", ARRAY(Text), nullable=False),
    Column("lot_keys", ARRAY(Text), nullable=False),
    Column("reason", Text, nullable=False),
    Column("evidence", ARRAY(Text), nullable=False),
    Column("state", Text, nullable=False),
    Column("ordered_by", Text, nullable=False),
    Column("ordered_at", INSTANT, nullable=False),
    Column("lifted_at", INSTANT),
    CheckConstraint("state in ('ordered', 'lifted')", name="state"),
    CheckConstraint("(state = 'lifted') = (lifted_at is not null)", name="lifted"),
    Index("stop_sales_product", "product_id", "id"),
)

stop_sale_liftings = Table(
    "stop_sale_liftings",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("stop_sale_id", Uuid, ForeignKey("stop_sales.id"), nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("evidence", ARRAY(Text), nullable=False),
    Column("requested_by", Text, nullable=False),
    Column("requested_at", INSTANT, nullable=False),
    Column("decided_by", Text),
    Column("decided_at", INSTANT),
    Column("decided_reason", Text),
    CheckConstraint("state in ('pending', 'approved', 'rejected')", name="state"),
    CheckConstraint("decided_by <> requested_by", name="two_persons"),
    Index("stop_sale_liftings_stop", "stop_sale_id", "id"),
    Index(
        "stop_sale_liftings_pending", "stop_sale_id", unique=True, postgresql_where=text("state = 'pending'")
    ),
)

stop_sale_lifting_decisions = Table(
    "stop_sale_lifting_decisions",
    metadata,
    Column("lifting_id", Uuid, ForeignKey("stop_sale_liftings.id"), primary_key=True),
    *decision_columns(),
)

declare(metadata, changes=("stop_sales", "stop_sale_liftings"))
