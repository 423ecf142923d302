"""The pickup of each approved wholesale return."""

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, Table, Text, Uuid, text

from returns.kernel.metadata import metadata
from shared.tables import INSTANT, declare

return_pickups = Table(
    "return_pickups",
    metadata,
    Column("notice_id", Uuid, ForeignKey("return_notices.id"), primary_key=True),
    Column("ordered_at", INSTANT, nullable=False),
    Column("due_at", INSTANT),
    Column("confirmed_at", INSTANT),
    Column("confirmed_by", Text),
    Column("on_time", Boolean),
    Column("breached_at", INSTANT),
    Column("calendar_no", Integer, nullable=False, server_default="0"),
    Index(
        "return_pickups_open",
        "due_at",
        postgresql_where=text("confirmed_at is null and breached_at is null"),
    ),
)

declare(metadata, changes=("return_pickups",))
