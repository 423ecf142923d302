"""Months and their states."""

from sqlalchemy import (
    CheckConstraint,
    Column,
    Date,
    Integer,
    Table,
    Text,
)

from finance.kernel.metadata import metadata
from shared.tables import INSTANT, declare

periods = Table(
    "periods",
    metadata,
    Column("month", Date, primary_key=True),
    Column("state", Text, nullable=False, server_default="open"),
    Column("version", Integer, nullable=False, server_default="0"),
    Column("closed_by", Text),
    Column("closed_at", INSTANT),
    Column("locked_by", Text),
    Column("locked_at", INSTANT),
    Column("late_days", Integer),
    CheckConstraint("state in ('open', 'soft_closed', 'locked')", name="state"),
    CheckConstraint("extract(day from month) = 1", name="first_day"),
)

"""`late_days` counts from the last day of the calendar by which the month was to be closed; null while open."""

declare(metadata, changes=("periods",))
