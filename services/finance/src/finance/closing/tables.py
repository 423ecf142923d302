"""Requests to open a month again, and who decided what."""

from sqlalchemy import (
    CheckConstraint,
    Column,
    Date,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)

from finance.kernel.metadata import metadata
from shared.approvals import decision_columns
from shared.tables import INSTANT, declare

period_reopenings = Table(
    "period_reopenings",
    metadata,
    Column("reopening_id", Uuid, primary_key=True),
    Column("month", Date, nullable=False),
    Column("version", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("subject_hash", Text, nullable=False),
    Column("requested_by", Text, nullable=False),
    Column("requested_at", INSTANT, nullable=False),
    CheckConstraint("state in ('pending', 'approved', 'rejected')", name="state"),
    Index("period_reopenings_pending", "month", unique=True, postgresql_where=text("state = 'pending'")),
)

period_reopening_decisions = Table(
    "period_reopening_decisions",
    metadata,
    Column("reopening_id", Uuid, primary_key=True),
    *decision_columns(),
    UniqueConstraint("reopening_id", "person"),
)

declare(metadata, changes=("period_reopenings",))
