"""The service desk's schema.

Every large table carries `branch_id`. Text that people wrote stays in `tickets`, `ticket_steps` and `surveys` and
leaves this database in no event and no log.
"""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from shared.database import new_metadata
from shared.tables import INSTANT, declare, mechanism_tables

metadata = new_metadata()
mechanism_tables(metadata)

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
feedback_records = Table(
    "feedback_records",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("ticket_id", Uuid, ForeignKey("tickets.id"), nullable=False, unique=True),
    Column("branch_id", Text, nullable=False),
    Column("month", Date, CheckConstraint("extract(day from month) = 1", name="first_day"), nullable=False),
    Column("taken_on", Date, nullable=False),
    Column("channel", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Index("feedback_records_month", "branch_id", "month", "id"),
)
feedback_ledgers = Table(
    "feedback_ledgers",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("branch_id", Text, nullable=False),
    Column("month", Date, CheckConstraint("extract(day from month) = 1", name="first_day"), nullable=False),
    Column("state", Text, nullable=False),
    Column("compiled_by", Text, nullable=False),
    Column("compiled_at", INSTANT, nullable=False),
    Column("records", Integer, nullable=False),
    Column("late_records", Integer, nullable=False),
    Column("entries_hash", Text, nullable=False),
    Column("signed_by", Text),
    Column("signed_at", INSTANT),
    Column("closed_by", Text),
    Column("closed_at", INSTANT),
    Column("due_on", Date),
    Column("on_time", Boolean),
    UniqueConstraint("branch_id", "month"),
    CheckConstraint("signed_by <> compiled_by", name="two_persons"),
)
feedback_ledger_entries = Table(
    "feedback_ledger_entries",
    metadata,
    # The key is the record alone: a record can be in one ledger only.
    Column("feedback_id", Uuid, ForeignKey("feedback_records.id"), primary_key=True),
    Column("ledger_id", Uuid, ForeignKey("feedback_ledgers.id"), nullable=False),
    Column("is_late", Boolean, nullable=False),
    Index("feedback_ledger_entries_ledger", "ledger_id", "feedback_id"),
)
# What this service knows of others, from their events alone; each may lag behind its source.
known_sales = Table(
    "known_sales",
    metadata,
    Column("sale_id", Text, primary_key=True),
    Column("branch_id", Text, nullable=False),
    Column("customer_id", Text),
    Column("business_date", Date, nullable=False),
    Column("lots", JSONB, nullable=False),
    Column("version", Integer, nullable=False),
)
known_customers = Table(
    "known_customers",
    metadata,
    Column("customer_id", Text, primary_key=True),
    Column("branch_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("version", Integer, nullable=False),
)
return_outcomes = Table(
    "return_outcomes",
    metadata,
    Column("return_id", Text, primary_key=True),
    Column("branch_id", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("cause", Text),
    Column("decided_on", Date, nullable=False),
    Column("version", Integer, nullable=False),
)

declare(
    metadata,
    changes=(
        "ticket_counters",
        "tickets",
        "clocks",
        "escalations",
        "surveys",
        "feedback_ledgers",
        "known_sales",
        "known_customers",
        "return_outcomes",
    ),
    removes=dict.fromkeys(
        ("known_sales", "known_customers", "return_outcomes"),
        "filled anew when a source has lost the end of its log",
    ),
)
