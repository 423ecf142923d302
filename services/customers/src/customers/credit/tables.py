"""The credit archive and the decisions on proposals."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)

from customers.kernel.metadata import metadata
from shared.approvals import decision_columns
from shared.tables import INSTANT, declare, one_of

credits_ = Table(
    "credits",
    metadata,
    Column("credit_id", Uuid, primary_key=True),
    Column("customer_id", Uuid, ForeignKey("customers.id"), nullable=False),
    Column("state", Text, nullable=False),
    Column("base_version", Integer, nullable=False),
    Column("version", Integer),
    Column("limit_fen", BigInteger, nullable=False),
    Column("overdue_tolerance_fen", BigInteger, nullable=False),
    Column("on_hold", Boolean, nullable=False),
    Column("valid_until", Date),
    Column("reason", Text, nullable=False),
    Column("requested_by", Text, nullable=False),
    Column("requested_at", INSTANT, nullable=False),
    Column("effective_at", INSTANT),
    Column("subject_hash", Text, nullable=False),
    one_of("state", ("proposed", "effective", "rejected", "superseded")),
    CheckConstraint("limit_fen >= 0 and overdue_tolerance_fen >= 0", name="amounts"),
    CheckConstraint("(state = 'effective') = (version is not null)", name="effective"),
    UniqueConstraint("customer_id", "version"),
    Index("credits_customer", "customer_id", "credit_id"),
    Index("credits_proposed", "customer_id", unique=True, postgresql_where=text("state = 'proposed'")),
)
"""The credit archive: what was proposed for a customer, and as numbered versions what took effect."""

credit_decisions = Table(
    "credit_decisions",
    metadata,
    Column("credit_id", Uuid, ForeignKey("credits.credit_id"), primary_key=True),
    *decision_columns(),
    UniqueConstraint("credit_id", "person"),
)

declare(metadata, changes=("credits",))
