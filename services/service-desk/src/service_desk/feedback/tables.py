"""Feedback records, their monthly ledgers, and which record is in which."""

from sqlalchemy import (
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
)

from service_desk.kernel.metadata import metadata
from shared.tables import INSTANT, declare

feedback_records = Table(
    "feedback_records",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("ticket_id", Uuid, ForeignKey("tickets.id"), nullable=False, unique=True),
    Column("branch_id", Text, nullable=False),
    Column("month", Date, CheckConstraint("extract(day from month) = 1", name="first_day"), nullable=False),
    Column("taken_on", Date, nullable=False),
    Column("channel", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Index("feedback_records_month", "branch_id", "month", "id"),
)
feedback_ledgers = Table(
    "feedback_ledgers",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("branch_id", Text, nullable=False),
    Column("month", Date, CheckConstraint("extract(day from month) = 1", name="first_day"), nullable=False),
    Column("state", Text, nullable=False),
    Column("compiled_by", Text, nullable=False),
    Column("compiled_at", INSTANT, nullable=False),
    Column("records", Integer, nullable=False),
    Column("late_records", Integer, nullable=False),
    Column("entries_hash", Text, nullable=False),
    Column("signed_by", Text),
    Column("signed_at", INSTANT),
    Column("closed_by", Text),
    Column("closed_at", INSTANT),
    Column("due_on", Date),
    Column("on_time", Boolean),
    UniqueConstraint("branch_id", "month"),
    CheckConstraint("signed_by <> compiled_by", name="two_persons"),
)
feedback_ledger_entries = Table(
    "feedback_ledger_entries",
    metadata,
    # The key is the record alone: a record can be in one ledger only.
    Column("feedback_id", Uuid, ForeignKey("feedback_records.id"), primary_key=True),
    Column("ledger_id", Uuid, ForeignKey("feedback_ledgers.id"), nullable=False),
    Column("is_late", Boolean, nullable=False),
    Index("feedback_ledger_entries_ledger", "ledger_id", "feedback_id"),
)

declare(metadata, changes=("feedback_ledgers",))
