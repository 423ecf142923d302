"""Records of trainings; none changes or goes."""

from sqlalchemy import CheckConstraint, Column, Date, Index, Table, Text

from reporting.kernel.metadata import metadata
from reporting.training.rules import Result
from shared.tables import INSTANT, one_of

training_records = Table(
    "training_records",
    metadata,
    Column("training_record_id", Text, primary_key=True),
    Column("staff_id", Text, nullable=False),
    Column("topic", Text, nullable=False),
    Column("trained_on", Date, nullable=False),
    Column("valid_until", Date),
    Column("result", Text, nullable=False),
    Column("recorded_by", Text, nullable=False),
    Column("recorded_at", INSTANT, nullable=False),
    one_of("result", Result),
    CheckConstraint("valid_until >= trained_on", name="days"),
    Index("training_records_staff", "staff_id", "topic"),
)
