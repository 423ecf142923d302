"""Tickets, their clocks and history, and notices to superiors."""

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from service_desk.kernel.metadata import metadata
from shared.tables import INSTANT, declare

ticket_counters = Table(
    "ticket_counters",
    metadata,
    Column("branch_id", Text, primary_key=True),
    Column("year", Integer, primary_key=True, autoincrement=False),
    Column("last", Integer, nullable=False),
)
tickets = Table(
    "tickets",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("number", Text, nullable=False, unique=True),
    Column("kind", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("branch_id", Text, nullable=False),
    Column("customer_id", Text),
    Column("severity", Text, nullable=False),
    Column("reporter", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("text", Text, nullable=False, server_default=""),
    Column("product_id", Text),
    Column("lot", Text),
    Column("sale_id", Text),
    Column("return_id", Text),
    Column("received_at", INSTANT, nullable=False),
    Column("recorded_at", INSTANT, nullable=False),
    Column("recorded_by", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("cycle", Integer, nullable=False),
    Column("handler", Text),
    Column("handler_role", Text),
    Column("assigned_at", INSTANT),
    Column("contacted_at", INSTANT),
    Column("resolved_at", INSTANT),
    Column("cause", Text),
    Column("fault", Text),
    Column("failed_contacts", Integer, nullable=False, server_default="0"),
    Column("version", Integer, nullable=False),
    Index("tickets_branch", "branch_id", "id"),
    Index("tickets_customer", "customer_id", "id", postgresql_where=text("customer_id is not null")),
    Index("tickets_return", "return_id", postgresql_where=text("return_id is not null")),
)
clocks = Table(
    "clocks",
    metadata,
    Column("ticket_id", Uuid, ForeignKey("tickets.id"), nullable=False),
    Column("cycle", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("branch_id", Text, nullable=False),
    Column("started_at", INSTANT, nullable=False),
    Column("due_at", INSTANT),
    Column("stopped_at", INSTANT),
    Column("breached_at", INSTANT),
    Column("calendar_no", Integer, nullable=False, server_default="0"),
    PrimaryKeyConstraint("ticket_id", "cycle", "name"),
    CheckConstraint("stopped_at >= started_at", name="stops_after_start"),
    Index("clocks_running", "due_at", postgresql_where=text("stopped_at is null and breached_at is null")),
)
ticket_steps = Table(
    "ticket_steps",
    metadata,
    Column("ticket_id", Uuid, ForeignKey("tickets.id"), nullable=False),
    Column("no", Integer, nullable=False),
    Column("cycle", Integer, nullable=False),
    Column("action", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("at", INSTANT, nullable=False),
    Column("detail", JSONB, nullable=False, server_default=text("'{}'::jsonb")),
    Column("note", Text),
    PrimaryKeyConstraint("ticket_id", "no"),
)
escalations = Table(
    "escalations",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("ticket_id", Uuid, ForeignKey("tickets.id"), nullable=False),
    Column("branch_id", Text, nullable=False),
    Column("cause", Text, nullable=False),
    Column("to_role", Text, nullable=False),
    Column("raised_at", INSTANT, nullable=False),
    Column("acknowledged_by", Text),
    Column("acknowledged_at", INSTANT),
    Index("escalations_open", "branch_id", "id", postgresql_where=text("acknowledged_at is null")),
)

declare(metadata, changes=("ticket_counters", "tickets", "clocks", "escalations"))
