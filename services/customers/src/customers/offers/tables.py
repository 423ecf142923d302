"""Offers and the decisions on them."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)

from customers.kernel.metadata import metadata
from shared.approvals import decision_columns
from shared.tables import INSTANT, declare, one_of

offers = Table(
    "offers",
    metadata,
    Column("offer_id", Uuid, primary_key=True),
    Column("plan_id", Uuid, nullable=False),
    Column("branch_id", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("benefit", Text, nullable=False),
    Column("terms", Text, nullable=False),
    Column("first_day", Date, nullable=False),
    Column("last_day", Date, nullable=False),
    Column("cost_fen", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("proposed_by", Text, nullable=False),
    Column("proposed_at", INSTANT, nullable=False),
    Column("drawing_id", Uuid),
    Column("refusal", Text),
    Column("used_fen", BigInteger),
    Column("subject_hash", Text, nullable=False),
    Column("answer_event_id", Uuid),
    one_of("state", ("asking", "funded", "refused", "published", "rejected", "withdrawn", "ended")),
    CheckConstraint("(state in ('asking', 'refused')) = (drawing_id is null)", name="funded"),
    CheckConstraint("(state = 'refused') = (refusal is not null)", name="refused"),
    CheckConstraint("(state in ('rejected', 'withdrawn', 'ended')) = (used_fen is not null)", name="over"),
    CheckConstraint("cost_fen > 0 and used_fen between 0 and cost_fen", name="cost"),
    CheckConstraint("first_day <= last_day", name="days"),
    Index("offers_branch", "branch_id", "offer_id"),
    Index("offers_answer", "answer_event_id", postgresql_where=text("answer_event_id is not null")),
)
"""Offers to patients. Without a drawing on a plan of finance none is published."""

offer_decisions = Table(
    "offer_decisions",
    metadata,
    Column("offer_id", Uuid, ForeignKey("offers.offer_id"), primary_key=True),
    *decision_columns(),
    UniqueConstraint("offer_id", "person"),
)

declare(metadata, changes=("offers",))
