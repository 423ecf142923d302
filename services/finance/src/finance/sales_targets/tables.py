"""Sales targets, and what people reported beside them."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)

from finance.kernel.metadata import metadata
from shared.tables import INSTANT, declare

targets = Table(
    "sales_targets",
    metadata,
    Column("target_id", Uuid, primary_key=True),
    Column("branch_id", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("month", Date, nullable=False),
    Column("net_fen", BigInteger, nullable=False),
    Column("strategy", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("set_by", Text, nullable=False),
    Column("set_at", INSTANT, nullable=False),
    UniqueConstraint("branch_id", "person", "channel", "month"),
    CheckConstraint("extract(day from month) = 1", name="first_day"),
)
"""`person` and `channel` are '' in a target of the whole branch or of every channel."""


reports = Table(
    "sales_reports",
    metadata,
    Column("person", Text, primary_key=True),
    Column("branch_id", Text, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("reported_fen", BigInteger, nullable=False),
    Column("posted_fen", BigInteger, nullable=False),
    Column("visits", Integer, nullable=False),
    Column("on_time", Boolean, nullable=False),
    Column("reported_at", INSTANT, nullable=False),
    Index("sales_reports_branch", "branch_id", "day"),
)
"""What a person said of a day, beside what was posted under the name at that moment."""

declare(metadata, changes=("sales_targets",))
