"""The log of changes: which fields changed when, and sealed what they were."""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Column,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    Table,
    Text,
    Uuid,
)

from customers.kernel.metadata import metadata
from shared.tables import INSTANT, declare

customer_changes = Table(
    "customer_changes",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("customer_id", Uuid, ForeignKey("customers.id"), nullable=False),
    Column("at", INSTANT, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("fields", ARRAY(Text), nullable=False),
    Column("personal", LargeBinary),
    Index("customer_changes_customer", "customer_id", "id"),
)

declare(metadata, changes=("customer_changes",))
