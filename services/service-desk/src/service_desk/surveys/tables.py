"""Invitations to rate, and their answers."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from service_desk.kernel.metadata import metadata
from shared.tables import INSTANT, declare

surveys = Table(
    "surveys",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("instrument_version", Integer, nullable=False),
    Column("branch_id", Text, nullable=False),
    Column("customer_id", Text, nullable=False),
    Column("ticket_id", Uuid, ForeignKey("tickets.id")),
    Column("cycle", Integer),
    Column("campaign", Text),
    Column("delivered", Boolean, nullable=False),
    Column("token_hash", LargeBinary, nullable=False),
    Column("sent_by", Text, nullable=False),
    Column("sent_at", INSTANT, nullable=False),
    Column("expires_at", INSTANT, nullable=False),
    Column("answered_at", INSTANT),
    Column("answered_by", Text),
    Column("scores", JSONB),
    Column("comment", Text),
    CheckConstraint("(ticket_id is null) <> (campaign is null)", name="ticket_or_campaign"),
    CheckConstraint("(answered_at is null) = (scores is null)", name="answered_with_scores"),
    Index(
        "surveys_per_cycle",
        "ticket_id",
        "cycle",
        unique=True,
        postgresql_where=text("delivered and ticket_id is not null"),
    ),
    Index(
        "surveys_per_campaign",
        "campaign",
        "customer_id",
        unique=True,
        postgresql_where=text("delivered and campaign is not null"),
    ),
    Index("surveys_customer", "customer_id", "sent_at"),
    Index("surveys_branch", "branch_id", "id"),
)

declare(metadata, changes=("surveys",))
