"""Statements of account and what customers answered."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSONB

from finance.kernel.metadata import metadata
from shared.tables import INSTANT, declare

customer_statements = Table(
    "customer_statements",
    metadata,
    Column("statement_id", Uuid, primary_key=True),
    Column("customer_id", Uuid, nullable=False),
    Column("as_of", Date, nullable=False),
    Column("branches", JSONB, nullable=False),
    Column("state", Text, nullable=False),
    Column("total_fen", BigInteger, nullable=False),
    Column("content_hash", Text, nullable=False),
    Column("issued_by", Text, nullable=False),
    Column("issued_at", INSTANT, nullable=False),
    Column("channel", Text),
    Column("sent_at", INSTANT),
    Column("contact_id", Uuid),
    Column("answered_at", INSTANT),
    UniqueConstraint("customer_id", "as_of"),
    CheckConstraint("state in ('issued', 'sent', 'confirmed', 'disputed')", name="state"),
)
"""对账函: what a customer owes on a day, item by item, for the customer to confirm or dispute."""

customer_statement_items = Table(
    "customer_statement_items",
    metadata,
    Column("statement_id", Uuid, primary_key=True),
    Column("item_id", Uuid, primary_key=True),
    Column("branch_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("booked_on", Date, nullable=False),
    Column("due_on", Date, nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    Column("open_fen", BigInteger, nullable=False),
    Column("answer", Text),
    Column("reason", Text),
    CheckConstraint("answer in ('confirmed', 'disputed')", name="answer"),
)

declare(metadata, changes=("customer_statements", "customer_statement_items"))
