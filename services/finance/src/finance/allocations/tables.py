"""What was set against what."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    Index,
    Table,
    Text,
    Uuid,
    text,
)

from finance.kernel.metadata import metadata
from shared.tables import INSTANT, declare

_NEW_ID = text("gen_random_uuid()")

receivable_allocations = Table(
    "receivable_allocations",
    metadata,
    Column("allocation_id", Uuid, primary_key=True, server_default=_NEW_ID),
    Column("credit_id", Uuid, nullable=False),
    Column("debt_id", Uuid, nullable=False),
    Column("fen", BigInteger, nullable=False),
    Column("allocated_on", Date, nullable=False),
    Column("undoes", Uuid, unique=True),
    Column("actor", Text, nullable=False),
    Column("at", INSTANT, nullable=False),
    CheckConstraint("fen <> 0 and (fen < 0) = (undoes is not null)", name="fen"),
    Index("receivable_allocations_credit", "credit_id"),
    Index("receivable_allocations_debt", "debt_id"),
    Index("receivable_allocations_day", "allocated_on"),
)
"""Append-only: taking one back is a row of the opposite amount."""

declare(metadata)
