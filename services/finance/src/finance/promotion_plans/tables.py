"""Promotion plans: forecast, budget, result."""

from sqlalchemy import ARRAY, BigInteger, CheckConstraint, Column, Date, Index, Integer, Table, Text, Uuid

from finance.kernel.metadata import metadata
from shared.tables import INSTANT, declare

plans = Table(
    "promotion_plans",
    metadata,
    Column("plan_id", Uuid, primary_key=True),
    Column("code", Text, nullable=False, unique=True),
    Column("branch_id", Text, nullable=False),
    Column("first_day", Date, nullable=False),
    Column("last_day", Date, nullable=False),
    Column("products", ARRAY(Text), nullable=False),
    Column("baseline_net_fen", BigInteger, nullable=False),
    Column("baseline_margin_fen", BigInteger, nullable=False),
    Column("uplift_bp", Integer, nullable=False),
    Column("budget_fen", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("subject_hash", Text, nullable=False),
    Column("budget_id", Uuid),
    Column("net_fen", BigInteger),
    Column("margin_fen", BigInteger),
    Column("spent_fen", BigInteger),
    Column("roi_bp", BigInteger),
    Column("prepared_by", Text, nullable=False),
    Column("prepared_at", INSTANT, nullable=False),
    CheckConstraint("first_day <= last_day", name="days"),
    CheckConstraint("state in ('proposed', 'approved', 'rejected', 'closed')", name="state"),
    Index("promotion_plans_branch", "branch_id", "plan_id"),
)

declare(metadata, changes=("promotion_plans",))
