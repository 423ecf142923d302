"""What customer relations projects cost and brought."""

from sqlalchemy import BigInteger, CheckConstraint, Column, Date, Index, Table, Text, Uuid

from finance.kernel.metadata import metadata
from shared.tables import INSTANT

crm_records = Table(
    "crm_records",
    metadata,
    Column("record_id", Uuid, primary_key=True),
    Column("project", Text, nullable=False),
    Column("month", Date, nullable=False),
    Column("kind", Text, nullable=False),
    Column("fen", BigInteger, nullable=False),
    Column("basis", Text, nullable=False),
    Column("recorded_by", Text, nullable=False),
    Column("recorded_at", INSTANT, nullable=False),
    CheckConstraint("kind in ('development', 'running', 'gain', 'saving')", name="kind"),
    Index("crm_records_project", "project", "month"),
)
"""Append-only; a correction is a further record, which may be negative."""
