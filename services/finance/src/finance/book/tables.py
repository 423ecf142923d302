"""The book and its chart."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Table,
    Text,
    UniqueConstraint,
)

from finance.kernel.metadata import metadata
from shared.tables import declare

books = Table(
    "books",
    metadata,
    Column("code", Text, primary_key=True),
    Column("standard", Text, nullable=False),
    Column("begins_on", Date, nullable=False),
    CheckConstraint("standard in ('small', 'cas')", name="standard"),
)

accounts = Table(
    "accounts",
    metadata,
    Column("standard", Text, primary_key=True),
    Column("code", Text, primary_key=True),
    Column("meaning", Text, nullable=False),
    Column("zh", Text, nullable=False),
    Column("en", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("leaf", Boolean, nullable=False),
    UniqueConstraint("standard", "meaning"),
)

declare(metadata)
