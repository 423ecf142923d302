"""The tables of the mechanism that every service's database holds beside its own, and what may be done to a table.

A table that nothing is declared of is append-only and guarded (shared.row_log): the service's role may select and
insert, nothing else. `declare` stands beside the tables and gives more, each with its reason.
"""

from collections.abc import Iterable, Mapping, Sequence

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

from shared import chain_months, log_months

INSTANT = DateTime(timezone=True)
THIS_MONTH = "date_trunc('month', clock_timestamp() at time zone 'UTC')::date"
SEALED = ("chain_no", "chain_hash")
"""Given after commit by the sealer, once; no part of a row's content."""


def one_of(column: str, values: Iterable[str]) -> CheckConstraint:
    """The column holds one of these words; the constraint has the column's name."""
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} in ({listed})", name=column)


def declare(
    metadata: MetaData,
    *,
    changes: Sequence[str] = (),
    apart: Mapping[str, Sequence[str]] | None = None,
    removes: Mapping[str, str] | None = None,
    working: Mapping[str, str] | None = None,
    proved: Mapping[str, str] | None = None,
    unless: Mapping[str, str] | None = None,
    locks: Mapping[str, str] | None = None,
) -> None:
    """Say of tables what their service may do to them, and by what their rows are guarded.

    changes: rows are updated, every change is written down. apart: columns that are set later and are no content.
    removes: rows are deleted, and why. working: not guarded, because no book rests on it, and why; rows come and go.
    proved: not written down by triggers, because another chain or proof covers it, and which.
    unless: SQL over a row `n` of a guarded table: such rows are covered otherwise.
    locks: rows are locked to wait for others, which PostgreSQL grants to who may update a column: this one. Nothing
    updates it; who does is found by the guard or proof of the table.
    """
    for name in changes:
        _info(metadata, name)["changes"] = True
    for key, said in (
        ("apart", apart),
        ("removes", removes),
        ("working", working),
        ("proved", proved),
        ("unless", unless),
        ("locks", locks),
    ):
        for name, value in (said or {}).items():
            _info(metadata, name)[key] = value


def _info(metadata: MetaData, name: str) -> dict[str, object]:
    info: dict[str, object] = metadata.tables[name].info
    return info


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
        Column("made_at", INSTANT, nullable=False, server_default=text("clock_timestamp()")),
        Index("inbox_pages_made_at", "made_at"),
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
        "awaited",
        metadata,
        Column("source", Text, primary_key=True),
        Column("what", Text, primary_key=True),
        Column("asked_at", INSTANT, nullable=False, server_default=text("clock_timestamp()")),
        Index("awaited_asked_at", "asked_at"),
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
    audit = Table(
        "audit",
        metadata,
        Column("id", BigInteger, Identity(always=True)),
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
        PrimaryKeyConstraint("id", "stream"),
        Index("audit_unsealed", "id", postgresql_where=text("chain_no is null")),
        Index(
            "audit_sealed", "stream", "chain_no", unique=True, postgresql_where=text("chain_no is not null")
        ),
        Index("audit_subject", "subject"),
        postgresql_partition_by="LIST (stream)",
    )
    Table(
        "chain_heads",
        metadata,
        Column("chain", Text, primary_key=True),
        Column("stream", Text, primary_key=True),
        Column("last_no", BigInteger, nullable=False),
        Column("last_hash", LargeBinary, nullable=False),
    )
    row_log = Table(
        "row_log",
        metadata,
        Column("id", BigInteger, Identity(always=True)),
        Column(
            "stream",
            Text,
            nullable=False,
            server_default=text("to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM')"),
        ),
        Column("at", INSTANT, nullable=False, server_default=text("clock_timestamp()")),
        Column("relation", Text, nullable=False),
        Column("op", Text, nullable=False),
        Column("keys", ARRAY(Text), nullable=False),
        Column("hashes", ARRAY(LargeBinary), nullable=False),
        Column("writer", Text, nullable=False),
        Column("upto", BigInteger),
        Column("chain_no", BigInteger),
        Column("chain_hash", LargeBinary),
        Index("row_log_relation", "relation", "id"),
        Index("row_log_upto", "relation", "upto", postgresql_where=text("upto is not null")),
        PrimaryKeyConstraint("id", "stream"),
        Index("row_log_unsealed", "id", postgresql_where=text("chain_no is null")),
        Index(
            "row_log_sealed", "stream", "chain_no", unique=True, postgresql_where=text("chain_no is not null")
        ),
        postgresql_partition_by="LIST (stream)",
    )
    for table in (audit, row_log):
        _with_ddl(table, *chain_months.parts(table.name))
    _with_ddl(row_log, chain_months.ENSURE, chain_months.CARRY, chain_months.DROP)
    _archived_and_verified(metadata)
    declare(
        metadata,
        changes=("parked_events",),
        apart={"outbox": ("seq", "log_hash"), "audit": SEALED, "row_log": SEALED},
        removes={
            "inbox": "numbers below the watermark are known",
            "inbox_pages": "numbers of a log that was set back, and those of long ago",
            "awaited": "questions are forgotten once they are answered",
            "outbox_totals": "summed anew when the log was set back",
            "parked_events": "events of a log that was set back",
            "idempotency_keys": "answers are kept 30 days",
            "verified_parts": "parts that are there no more",
        },
        working={
            "outbox_head": "the sequencer's counter, proved by the outbox",
            "outbox_totals": "sums of the outbox, proved by it",
            "relay_cursor": "how far the broker has confirmed",
            "inbox": "numbers that were applied",
            "inbox_pages": "numbers that were applied, in pages",
            "source_state": "how far each source is known",
            "awaited": "what was asked for and is not known",
            "idempotency_keys": "answers that may be asked for again",
            "chain_heads": "the ends of the chains, compared with their rows and with the anchors",
            "row_log": "what rows are compared with, a chain itself",
            "verified_parts": "how far the scheduled verification has come",
        },
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
    _with_ddl(outbox, default, log_months.ENSURE, log_months.DROP)
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


def _with_ddl(table: Table, *statements: str) -> None:
    """What is made with the table where the metadata makes it: migrations make their own."""
    for statement in statements:
        event.listen(table, "after_create", DDL(statement.replace("%", "%%")))  # type: ignore[no-untyped-call]


def _archived_and_verified(metadata: MetaData) -> None:
    """Where months of chains went, and what became of findings."""
    Table(
        "chain_archives",
        metadata,
        Column("chain", Text, primary_key=True),
        Column("stream", Text, primary_key=True),
        Column("first_no", BigInteger, primary_key=True),
        Column("last_no", BigInteger, nullable=False),
        Column("previous_hash", LargeBinary, nullable=False),
        Column("last_hash", LargeBinary, nullable=False),
        Column("file", Text, nullable=False),
        Column("sha256", Text, nullable=False),
        Column("archived_at", INSTANT, nullable=False),
    )
    Table(
        "acknowledged_findings",
        metadata,
        Column("log_id", BigInteger, primary_key=True, autoincrement=False),
        Column("acknowledged_at", INSTANT, nullable=False),
        Column("acknowledged_by", Text, nullable=False),
        Column("reason", Text, nullable=False),
    )
    Table(
        "verified_parts",
        metadata,
        Column("part", Text, primary_key=True),
        Column("verified_at", INSTANT),
        Column("tried_at", INSTANT),
        Column("upto", BigInteger, nullable=False, server_default="0"),
        Column("upto_hash", LargeBinary),
        Column("findings", BigInteger, nullable=False, server_default="0"),
        Column("first_finding", Text),
    )
