"""Movements of cash of closed months, kept."""

from sqlalchemy import BigInteger, Column, Date, Integer, Table, Text

from finance.kernel.metadata import metadata
from shared.tables import declare

cash_flow_months = Table(
    "cash_flow_months",
    metadata,
    Column("month", Date, primary_key=True),
    Column("period_version", Integer, nullable=False),
)
"""Closed months whose cash movements are kept; they count while the period has this version."""


cash_flow_movements = Table(
    "cash_flow_movements",
    metadata,
    Column("month", Date, primary_key=True),
    Column("entry_kind", Text, primary_key=True),
    Column("account", Text, primary_key=True),
    Column("direction", Text, primary_key=True),
    Column("fen", BigInteger, nullable=False),
)
"""What moved cash in a month, per kind of entry and counter account, so that a year is not read entry by entry."""

declare(
    metadata,
    changes=("cash_flow_months",),
    removes={"cash_flow_movements": "summed anew when a month was opened again"},
)
