"""The tables of the mechanism that every service's database holds beside its own."""

from sqlalchemy import (
    ARRAY,
    DDL,
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    event,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from shared import log_months

INSTANT = DateTime(timezone=True)
THIS_MONTH = "date_trunc('month', clock_timestamp() at time zone 'UTC')::date"


def mechanism_tables(metadata: MetaData) -> None:
    """Add outbox, inbox, idempotency, audit and chain tables to a service's metadata."""
    _outbox(metadata)
    Table(
        "outbox_head",
        metadata,
        Column("one", SmallInteger, CheckConstraint("one = 1", name="one_row"), primary_key=True),
        Column("last_seq", BigInteger, nullable=False),
        Column("epoch", BigInteger, nullable=False, server_default="1"),
        Column("log_hash", BigInteger, nullable=False, server_default="0"),
        Column("place", Text, nullable=False),
        Column("disputed", Text),
        Column("disputed_epoch", BigInteger),
    )
    Table(
        "log_epochs",
        metadata,
        Column("epoch", BigInteger, primary_key=True),
        Column("begins_after", BigInteger, nullable=False),
        Column("raised_at", INSTANT, nullable=False),
        Column("raised_by", Text, nullable=False),
        Column("reason", Text, nullable=False),
    )
    Table(
        "outbox_totals",
        metadata,
        Column("day", Date, primary_key=True),
        Column("type", Text, primary_key=True),
        Column("events", BigInteger, nullable=False),
        Column("amount_fen", BigInteger, nullable=False),
    )
    Table(
        "relay_cursor",
        metadata,
        Column("partition", Integer, primary_key=True),
        Column("confirmed_seq", BigInteger, nullable=False),
        Column("updated_at", INSTANT, nullable=False),
    )
    Table(
        "inbox",
        metadata,
        Column("source", Text, primary_key=True),
        Column("seq", BigInteger, primary_key=True),
        Column("event_id", Uuid, nullable=False),
    )
    Table(
        "inbox_pages",
        metadata,
        Column("source", Text, primary_key=True),
        Column("first_seq", BigInteger, primary_key=True),
        Column("last_seq", BigInteger, nullable=False),
        Column("page_hash", BigInteger, nullable=False),
        Column("event_ids", LargeBinary, nullable=False),
    )
    Table(
        "source_state",
        metadata,
        Column("source", Text, primary_key=True),
        Column("contiguous_seq", BigInteger, nullable=False, server_default="0"),
        Column("pruned_seq", BigInteger, nullable=False, server_default="0"),
        Column("max_seq", BigInteger, nullable=False, server_default="0"),
        Column("head_seq", BigInteger, nullable=False, server_default="0"),
        Column("checked_at", INSTANT),
        Column("advanced_at", INSTANT),
        Column("epoch", BigInteger),
        Column("log_hash", BigInteger, server_default="0"),
        Column("stuck_since", INSTANT),
        Column("halted_at", INSTANT),
        Column("halted_reason", Text),
        Column("halted_detail", Text),
    )
    Table(
        "accepted_epochs",
        metadata,
        Column("source", Text, primary_key=True),
        Column("epoch", BigInteger, primary_key=True),
        Column("accepted_at", INSTANT, primary_key=True),
        Column("before_epoch", BigInteger),
        Column("ancestor_seq", BigInteger, nullable=False),
        Column("lost_events", BigInteger, nullable=False),
        Column("accepted_by", Text, nullable=False),
        Column("reason", Text, nullable=False),
    )
    Table(
        "lost_events",
        metadata,
        Column("source", Text, primary_key=True),
        Column("seq", BigInteger, primary_key=True),
        Column("event_id", Uuid, primary_key=True),
        Column("epoch", BigInteger),
        Column("noted_at", INSTANT, nullable=False),
        Column("detail", JSONB, nullable=False),
    )
    Table(
        "parked_events",
        metadata,
        Column("id", Uuid, primary_key=True),
        Column("source", Text),
        Column("seq", BigInteger),
        Column("event_id", Text),
        Column("type", Text),
        Column("reason_code", Text, nullable=False),
        Column("reason", Text, nullable=False),
        Column("payload", JSONB, nullable=False),
        Column("attempts", Integer, nullable=False, server_default="1"),
        Column("state", Text, nullable=False, server_default="parked"),
        Column("parked_at", INSTANT, nullable=False),
        Column("decided_by", Text),
        Column("decided_reason", Text),
        Column("decided_at", INSTANT),
        CheckConstraint("state in ('parked', 'redriven', 'discarded')", name="state"),
        Index("parked_events_open", "source", "seq", postgresql_where=text("state = 'parked'")),
    )
    Table(
        "idempotency_keys",
        metadata,
        Column("key", Text, primary_key=True),
        Column("actor", Text, primary_key=True),
        Column("route", Text, nullable=False),
        Column("body_hash", LargeBinary, nullable=False),
        Column("status", SmallInteger, nullable=False),
        Column("response", LargeBinary, nullable=False),
        Column("created_at", INSTANT, nullable=False),
        Index("idempotency_keys_created_at", "created_at"),
    )
    Table(
        "audit",
        metadata,
        Column("id", BigInteger, Identity(always=True), primary_key=True),
        Column("stream", Text, nullable=False),
        Column("at", INSTANT, nullable=False),
        Column("actor", Text, nullable=False),
        Column("roles", ARRAY(Text), nullable=False),
        Column("action", Text, nullable=False),
        Column("subject", Text, nullable=False),
        Column("before_hash", Text),
        Column("after_hash", Text),
        Column("request_id", Text),
        Column("chain_no", BigInteger),
        Column("chain_hash", LargeBinary),
        Index("audit_unsealed", "id", postgresql_where=text("chain_no is null")),
        Index(
            "audit_sealed", "stream", "chain_no", unique=True, postgresql_where=text("chain_no is not null")
        ),
        Index("audit_subject", "subject"),
    )
    Table(
        "chain_heads",
        metadata,
        Column("chain", Text, primary_key=True),
        Column("stream", Text, primary_key=True),
        Column("last_no", BigInteger, nullable=False),
        Column("last_hash", LargeBinary, nullable=False),
    )


def _outbox(metadata: MetaData) -> None:
    """The service's log of events, divided by the month in which they were recorded (UTC)."""
    outbox = Table(
        "outbox",
        metadata,
        Column("id", BigInteger, Identity(always=True)),
        Column("seq", BigInteger),
        Column("event_id", Uuid, nullable=False),
        Column("type", Text, nullable=False),
        Column("subject", Text, nullable=False),
        Column("aggregate", Text, nullable=False),
        Column("version", Integer, nullable=False),
        Column("day", Date, nullable=False),
        Column("amount_fen", BigInteger, nullable=False),
        Column("occurred_at", INSTANT, nullable=False),
        Column("traceparent", Text),
        Column("correlation_id", Text),
        Column("causation_id", Text),
        Column("data", JSONB, nullable=False),
        Column("recorded_at", INSTANT, nullable=False, server_default=text("clock_timestamp()")),
        Column("log_hash", BigInteger),
        Column("month", Date, nullable=False, server_default=text(THIS_MONTH)),
        PrimaryKeyConstraint("id", "month"),
        UniqueConstraint("event_id", "month"),
        UniqueConstraint("aggregate", "subject", "version", "month"),
        Index("outbox_unsequenced", "month", "id", postgresql_where=text("seq is null")),
        Index("outbox_seq", "seq", "month", unique=True, postgresql_where=text("seq is not null")),
        postgresql_partition_by="RANGE (month)",
    )
    # Where a month has no partition yet, its events still find a place: no command fails for want of one.
    default = "create table outbox_default partition of outbox default"
    for statement in (default, log_months.ENSURE, log_months.DROP):
        event.listen(outbox, "after_create", DDL(statement.replace("%", "%%")))  # type: ignore[no-untyped-call]
    Table(
        "log_archives",
        metadata,
        Column("first_seq", BigInteger, primary_key=True),
        Column("last_seq", BigInteger, nullable=False),
        Column("month", Date, nullable=False),
        Column("events", BigInteger, nullable=False),
        Column("file", Text, nullable=False),
        Column("sha256", Text, nullable=False),
        Column("totals", JSONB, nullable=False),
        Column("archived_at", INSTANT, nullable=False),
    )
