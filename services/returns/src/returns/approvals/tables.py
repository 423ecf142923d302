"""Who approved or rejected which notice."""

from sqlalchemy import Boolean, Column, ForeignKey, Table, Text, UniqueConstraint, Uuid

from returns.kernel.metadata import metadata
from shared.tables import INSTANT

return_decisions = Table(
    "return_decisions",
    metadata,
    Column("notice_id", Uuid, ForeignKey("return_notices.id"), primary_key=True),
    Column("role", Text, primary_key=True),
    Column("person", Text, nullable=False),
    Column("approved", Boolean, nullable=False),
    Column("reason", Text),
    Column("at", INSTANT, nullable=False),
    Column("subject_hash", Text, nullable=False),
    UniqueConstraint("notice_id", "person"),
)
