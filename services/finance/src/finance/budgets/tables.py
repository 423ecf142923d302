"""Budgets and what moved them."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    Identity,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)

from finance.kernel.metadata import metadata
from shared.tables import INSTANT, declare

budgets = Table(
    "budgets",
    metadata,
    Column("budget_id", Uuid, primary_key=True),
    Column("branch_id", Text, nullable=False),
    Column("department", Text, nullable=False),
    Column("category", Text, nullable=False),
    Column("campaign", Text, nullable=False),
    Column("first_day", Date, nullable=False),
    Column("last_day", Date, nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    Column("reserved_fen", BigInteger, nullable=False, server_default="0"),
    Column("actual_fen", BigInteger, nullable=False, server_default="0"),
    Column("overrun", Text, nullable=False),
    Column("exceeded", Integer, nullable=False, server_default="0"),
    Column("version", Integer, nullable=False, server_default="1"),
    Column("made_by", Text, nullable=False),
    Column("made_at", INSTANT, nullable=False),
    UniqueConstraint("branch_id", "department", "category", "campaign", "first_day"),
    CheckConstraint("amount_fen >= 0 and reserved_fen >= 0", name="amounts"),
    CheckConstraint("first_day <= last_day", name="days"),
    CheckConstraint("overrun in ('stop', 'approval')", name="overrun"),
    CheckConstraint("(category = '') <> (campaign = '')", name="dimension"),
)
"""A dimension that does not apply is ''. Two budgets of one dimension never overlap in time. `actual_fen` follows the
ledger's debits less credits, and may so be below 0."""


movements = Table(
    "budget_movements",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("budget_id", Uuid, nullable=False),
    Column("source_kind", Text, nullable=False),
    Column("source_id", Uuid, nullable=False),
    Column("reserved_fen", BigInteger, nullable=False),
    Column("actual_fen", BigInteger, nullable=False),
    Column("category", Text),
    Column("booked_on", Date),
    Column("actor", Text, nullable=False),
    Column("at", INSTANT, nullable=False),
    Index("budget_movements_budget", "budget_id", "id"),
    Index("budget_movements_booked", "booked_on", postgresql_where=text("booked_on is not null")),
    Index("budget_movements_source", "source_id", postgresql_where=text("booked_on is not null")),
)
"""Append-only; the sums of a budget's movements are its reserved and actual. `category` and `booked_on` are given where
an entry of the ledger spends: what one day's movements spend of a category is on the category's account that day."""


declare(
    metadata,
    changes=("budgets",),
)
