"""The data keys, each wrapped by the master key."""

from sqlalchemy import (
    CheckConstraint,
    Column,
    LargeBinary,
    Table,
    Text,
    Uuid,
)

from customers.kernel.metadata import metadata
from shared.tables import INSTANT, declare

subject_keys = Table(
    "subject_keys",
    metadata,
    Column("subject_id", Uuid, primary_key=True),
    Column("wrapped", LargeBinary),
    Column("master_key_id", Text, nullable=False),
    Column("created_at", INSTANT, nullable=False),
    Column("destroyed_at", INSTANT),
    Column("destroyed_by", Text),
    CheckConstraint("(wrapped is null) = (destroyed_at is not null)", name="destroyed"),
)

declare(metadata, changes=("subject_keys",))
