"""The dialects that accountants defined."""

from sqlalchemy import Column, Integer, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from finance.kernel.metadata import metadata
from shared.tables import INSTANT

bank_dialects = Table(
    "bank_dialects",
    metadata,
    Column("dialect", Text, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("definition", JSONB, nullable=False),
    Column("content_hash", Text, nullable=False),
    Column("kept_by", Text, nullable=False),
    Column("kept_at", INSTANT, nullable=False),
)
"""Dialects that an accountant defined; the newest version reads, the older ones say how earlier files were read."""
