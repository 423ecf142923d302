"""Who approved a plan, and what offers drew on it."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Index,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)

from finance.kernel.metadata import metadata
from shared.approvals import decision_columns
from shared.tables import INSTANT, declare

plan_decisions = Table(
    "promotion_decisions",
    metadata,
    Column("plan_id", Uuid, nullable=False),
    *decision_columns(role_is_key=False),
    PrimaryKeyConstraint("plan_id", "role"),
    UniqueConstraint("plan_id", "person"),
)
drawings = Table(
    "promotion_drawings",
    metadata,
    Column("drawing_id", Uuid, primary_key=True),
    Column("plan_id", Uuid, nullable=False),
    Column("offer_id", Text, nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    Column("used_fen", BigInteger),
    Column("drawn_by", Text, nullable=False),
    Column("drawn_at", INSTANT, nullable=False),
    Column("settled_at", INSTANT),
    Column("cause_event_id", Uuid),
    Column("settled_event_id", Uuid),
    UniqueConstraint("plan_id", "offer_id"),
    CheckConstraint("amount_fen > 0", name="amount"),
    CheckConstraint("used_fen between 0 and amount_fen", name="used"),
    Index("promotion_drawings_cause", "cause_event_id"),
    Index("promotion_drawings_settled", "settled_event_id"),
)
"""`cause_event_id` proposed the offer, `settled_event_id` ended it; unknown of drawings from before they were kept."""

declare(metadata, changes=("promotion_drawings",))
