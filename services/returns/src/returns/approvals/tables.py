"""Who approved or rejected which notice."""

from sqlalchemy import Column, ForeignKey, Table, UniqueConstraint, Uuid

from returns.kernel.metadata import metadata
from shared.approvals import decision_columns

return_decisions = Table(
    "return_decisions",
    metadata,
    Column("notice_id", Uuid, ForeignKey("return_notices.id"), primary_key=True),
    *decision_columns(),
    UniqueConstraint("notice_id", "person"),
)
