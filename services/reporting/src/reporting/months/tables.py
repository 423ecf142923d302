"""Which months are closed, and what was told of them afterwards."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    Index,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import JSONB

from reporting.kernel.metadata import metadata
from shared.tables import INSTANT, declare

month_closes = Table(
    "month_closes",
    metadata,
    Column("month", Date, CheckConstraint("extract(day from month) = 1", name="first_day"), primary_key=True),
    Column("closed_at", INSTANT, nullable=False),
    Column("closed_by", Text, nullable=False),
    Column("content_hash", Text, nullable=False),
    Column("watermarks", JSONB, nullable=False),
    Column("definitions", JSONB, nullable=False),
)

ledger_revisions = Table(
    "ledger_revisions",
    metadata,
    Column("source", Text, primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("month", Date, nullable=False),
    Column("day", Date, nullable=False),
    Column("type", Text, nullable=False),
    Column("branch_id", Text),
    Column("amount_fen", BigInteger, nullable=False),
    Column("recorded_at", INSTANT, nullable=False),
    Index("ledger_revisions_month", "month", "branch_id"),
)

declare(metadata, removes={"ledger_revisions": "withdrawn when a source has lost the end of its log"})
