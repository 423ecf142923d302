"""Vouchers by hand, and what was reversed."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    Index,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from finance.kernel.metadata import metadata
from shared.approvals import decision_columns
from shared.tables import INSTANT, declare

vouchers = Table(
    "vouchers",
    metadata,
    Column("voucher_id", Uuid, primary_key=True),
    Column("state", Text, nullable=False),
    Column("booked_on", Date, nullable=False),
    Column("branch_id", Text, nullable=False),
    Column("summary", Text, nullable=False),
    Column("lines", JSONB, nullable=False),
    Column("total_fen", BigInteger, nullable=False),
    Column("subject_hash", Text, nullable=False),
    Column("drafted_by", Text, nullable=False),
    Column("drafted_at", INSTANT, nullable=False),
    Column("decided_by", Text),
    Column("decided_at", INSTANT),
    Column("decided_reason", Text),
    Column("department", Text, nullable=False, server_default=""),
    Column("campaign", Text, nullable=False, server_default=""),
    CheckConstraint("state in ('draft', 'posted', 'rejected')", name="state"),
    CheckConstraint("total_fen > 0", name="total"),
    CheckConstraint("(state = 'draft') = (decided_by is null)", name="decided"),
    CheckConstraint("decided_by <> drafted_by", name="two_persons"),
    Index("vouchers_drafts", "booked_on", postgresql_where=text("state = 'draft'")),
)
"""Manual vouchers; a posted one is the entry of kind `manual` whose source is its id. `decided_*` say how a draft ended."""


voucher_decisions = Table(
    "voucher_decisions",
    metadata,
    Column("voucher_id", Uuid, primary_key=True),
    *decision_columns(),
    UniqueConstraint("voucher_id", "person"),
)
"""What a finance head decided on a draft; what was said of its overrun is among `budget_overrun_decisions`."""


reversals = Table(
    "reversals",
    metadata,
    Column("entry_id", BigInteger, primary_key=True),
    Column("entry_booked_on", Date, nullable=False),
    Column("reversal_id", Uuid, nullable=False, unique=True),
    Column("booked_on", Date, nullable=False),
    Column("reason", Text, nullable=False),
    Column("reversed_by", Text, nullable=False),
    Column("reversed_at", INSTANT, nullable=False),
)
"""An entry is reversed once: by the entry of kind `reversal` whose source is `reversal_id`."""


declare(metadata, changes=("vouchers",))
