"""What customers said about whom we may sell to."""

from sqlalchemy import (
    ARRAY,
    Boolean,
    Column,
    Date,
    Integer,
    Table,
    Text,
    Uuid,
)

from finance.kernel.metadata import metadata
from shared.tables import declare

trade_permissions = Table(
    "trade_permissions",
    metadata,
    Column("customer_id", Uuid, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("allowed", Boolean, nullable=False),
    Column("categories", ARRAY(Text), nullable=False),
    Column("valid_until", Date),
)
"""What customers last said about whom we may sell to; an older version never overwrites a newer one."""

trade_permission_versions = Table(
    "trade_permission_versions",
    metadata,
    Column("customer_id", Uuid, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("from_day", Date, nullable=False),
    Column("kind", Text, nullable=False),
    Column("allowed", Boolean, nullable=False),
    Column("categories", ARRAY(Text), nullable=False),
    Column("valid_until", Date),
)
"""All they ever said, and from which day on: a sale is judged by what held on its own day."""

declare(
    metadata,
    changes=("trade_permissions",),
    removes={
        "trade_permission_versions": "filled anew when a source has lost the end of its log",
        "trade_permissions": "filled anew when a source has lost the end of its log",
    },
)
