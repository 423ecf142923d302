"""The tables of what customers owe. Items are written by finance.open_items with the entries they stand for."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    Index,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from finance.kernel.metadata import metadata
from shared.approvals import decision_columns
from shared.tables import INSTANT, declare

_NEW_ID = text("gen_random_uuid()")

payments = Table(
    "payments",
    metadata,
    Column("payment_id", Uuid, primary_key=True),
    Column("customer_id", Uuid, nullable=False),
    Column("branch_id", Text, nullable=False),
    Column("tender", Text, nullable=False),
    Column("reference", Text, nullable=False),
    Column("received_on", Date, nullable=False),
    Column("booked_on", Date, nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    Column("item_id", Uuid, nullable=False),
    Column("received_by", Text, nullable=False),
    Column("recorded_at", INSTANT, nullable=False),
    Column("reversed_on", Date),
    Column("reversal_reason", Text),
    CheckConstraint("amount_fen > 0", name="amount"),
    Index(
        "payments_reference", "tender", "reference", unique=True, postgresql_where=text("reversed_on is null")
    ),
    Index("payments_customer", "customer_id", "payment_id"),
    Index("payments_day", "received_on", "payment_id"),
)

credit_terms = Table(
    "credit_terms",
    metadata,
    Column("customer_id", Uuid, primary_key=True),
    Column("effective_from", Date, primary_key=True),
    Column("instalments", JSONB, nullable=False),
    Column("decided_by", Text, nullable=False),
    Column("decided_at", INSTANT, nullable=False),
)
"""`[{"days": 30, "share_bp": 10000}]`: days after the business date, shares that sum to 10 000."""

write_offs = Table(
    "write_offs",
    metadata,
    Column("write_off_id", Uuid, primary_key=True),
    Column("item_id", Uuid, nullable=False),
    Column("branch_id", Text, nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("requested_by", Text, nullable=False),
    Column("requested_at", INSTANT, nullable=False),
    Column("booked_on", Date),
    CheckConstraint("amount_fen > 0", name="amount"),
    CheckConstraint("state in ('requested', 'rejected', 'written_off')", name="state"),
    Index("write_offs_state", "state", "write_off_id"),
    Index("write_offs_requested", "item_id", unique=True, postgresql_where=text("state = 'requested'")),
)

write_off_decisions = Table(
    "write_off_decisions",
    metadata,
    Column("write_off_id", Uuid, primary_key=True),
    *decision_columns(),
    UniqueConstraint("write_off_id", "person"),
)


declare(
    metadata,
    changes=(
        "payments",
        "write_offs",
    ),
)
