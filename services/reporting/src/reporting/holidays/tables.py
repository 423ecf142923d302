"""Notices of holidays as they were entered, and the decisions on them. What is approved lies in shared.holidays too."""

from sqlalchemy import (
    ARRAY,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    Uuid,
    text,
)

from reporting.kernel.metadata import metadata
from shared.approvals import decision_columns
from shared.holidays import day_columns, notice_columns
from shared.tables import INSTANT, declare, one_of

holiday_notices_known = Table("holiday_notices_known", metadata, *notice_columns())
holidays_known = Table("holidays_known", metadata, *day_columns())
"""What is in force, as every service keeps it."""

holiday_notices = Table(
    "holiday_notices",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("reference", Text, nullable=False),
    Column("announced_on", Date, nullable=False),
    Column("year", Integer),
    Column("rest_days", ARRAY(Date), nullable=False),
    Column("workdays", ARRAY(Date), nullable=False),
    Column("state", Text, nullable=False),
    Column("number", Integer, unique=True),
    Column("entered_by", Text, nullable=False),
    Column("entered_at", INSTANT, nullable=False),
    Column("decided_by", Text),
    Column("decided_at", INSTANT),
    Column("decided_reason", Text),
    one_of("state", ("pending", "approved", "rejected")),
    CheckConstraint("(state = 'approved') = (number is not null)", name="numbered"),
    CheckConstraint("decided_by <> entered_by", name="two_persons"),
    Index("holiday_notices_pending", "reference", unique=True, postgresql_where=text("state = 'pending'")),
)

holiday_notice_decisions = Table(
    "holiday_notice_decisions",
    metadata,
    Column("holiday_notice_id", Uuid, ForeignKey("holiday_notices.id"), primary_key=True),
    *decision_columns(),
)

declare(metadata, changes=("holiday_notices",))
