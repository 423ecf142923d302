"""The ledgers of closed months, as they were frozen."""

from sqlalchemy import (
    CheckConstraint,
    Column,
    Date,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import JSONB

from reporting.kernel.metadata import metadata

frozen_ledgers = Table(
    "frozen_ledgers",
    metadata,
    Column("month", Date, primary_key=True),
    Column(
        "kind",
        Text,
        CheckConstraint("kind in ('sales', 'returns', 'feedback')", name="kind"),
        primary_key=True,
    ),
    # The empty text is the whole chain.
    Column("branch_id", Text, primary_key=True),
    Column("content", JSONB, nullable=False),
    Column("content_hash", Text, nullable=False),
)
