"""The figures of metrics of closed months, as they were frozen."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import JSONB

from reporting.kernel.metadata import metadata
from shared.tables import INSTANT

metric_snapshots = Table(
    "metric_snapshots",
    metadata,
    Column("month", Date, primary_key=True),
    Column("metric", Text, primary_key=True),
    Column("branch_id", Text, primary_key=True),
    Column("version", Text, nullable=False),
    Column("numerator", BigInteger, nullable=False),
    Column("denominator", BigInteger, nullable=False),
    Column("value_bp", BigInteger),
    Column("n", BigInteger, nullable=False),
    Column("low_sample", Boolean, nullable=False),
    Column("detail", JSONB, nullable=False),
    Column("watermarks", JSONB, nullable=False),
    Column("frozen_at", INSTANT, nullable=False),
)
