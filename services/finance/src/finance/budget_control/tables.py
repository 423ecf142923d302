"""Decisions that let a document exceed its budgets."""

from sqlalchemy import Boolean, Column, PrimaryKeyConstraint, Table, Text, UniqueConstraint, Uuid

from finance.kernel.metadata import metadata
from shared.tables import INSTANT

overrun_decisions = Table(
    "budget_overrun_decisions",
    metadata,
    Column("source_id", Uuid, nullable=False),
    Column("role", Text, nullable=False),
    Column("source_kind", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("approved", Boolean, nullable=False),
    Column("reason", Text),
    Column("at", INSTANT, nullable=False),
    Column("subject_hash", Text, nullable=False),
    PrimaryKeyConstraint("source_id", "role"),
    UniqueConstraint("source_id", "person"),
)
"""Who let a voucher or samples exceed a budget; the same of claims is among `claim_decisions`."""
