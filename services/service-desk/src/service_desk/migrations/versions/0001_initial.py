"""The first schema: tickets, surveys, feedback ledgers, projections, and the tables of the mechanism."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("roles", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("before_hash", sa.Text(), nullable=True),
        sa.Column("after_hash", sa.Text(), nullable=True),
        sa.Column("request_id", sa.Text(), nullable=True),
        sa.Column("chain_no", sa.BigInteger(), nullable=True),
        sa.Column("chain_hash", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    op.create_index(
        "audit_sealed",
        "audit",
        ["stream", "chain_no"],
        unique=True,
        postgresql_where=sa.text("chain_no is not null"),
    )
    op.create_index("audit_subject", "audit", ["subject"], unique=False)
    op.create_index(
        "audit_unsealed", "audit", ["id"], unique=False, postgresql_where=sa.text("chain_no is null")
    )
    op.create_table(
        "chain_heads",
        sa.Column("chain", sa.Text(), nullable=False),
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("last_no", sa.BigInteger(), nullable=False),
        sa.Column("last_hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("chain", "stream", name=op.f("pk_chain_heads")),
    )
    op.create_table(
        "feedback_ledgers",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("branch_id", sa.Text(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("compiled_by", sa.Text(), nullable=False),
        sa.Column("compiled_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("records", sa.Integer(), nullable=False),
        sa.Column("late_records", sa.Integer(), nullable=False),
        sa.Column("entries_hash", sa.Text(), nullable=False),
        sa.Column("signed_by", sa.Text(), nullable=True),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by", sa.Text(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("on_time", sa.Boolean(), nullable=True),
        sa.CheckConstraint("signed_by <> compiled_by", name=op.f("ck_feedback_ledgers_two_persons")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feedback_ledgers")),
        sa.UniqueConstraint("branch_id", "month", name=op.f("uq_feedback_ledgers_branch_id_month")),
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("route", sa.Text(), nullable=False),
        sa.Column("body_hash", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("response", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", "actor", name=op.f("pk_idempotency_keys")),
    )
    op.create_index("idempotency_keys_created_at", "idempotency_keys", ["created_at"], unique=False)
    op.create_table(
        "inbox",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("source", "seq", name=op.f("pk_inbox")),
    )
    op.create_table(
        "known_customers",
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("branch_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("customer_id", name=op.f("pk_known_customers")),
    )
    op.create_table(
        "known_sales",
        sa.Column("sale_id", sa.Text(), nullable=False),
        sa.Column("branch_id", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=True),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("lots", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("sale_id", name=op.f("pk_known_sales")),
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=True),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("aggregate", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("traceparent", sa.Text(), nullable=True),
        sa.Column("correlation_id", sa.Text(), nullable=True),
        sa.Column("causation_id", sa.Text(), nullable=True),
        sa.Column("data", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sa.UniqueConstraint(
            "aggregate", "subject", "version", name=op.f("uq_outbox_aggregate_subject_version")
        ),
        sa.UniqueConstraint("event_id", name=op.f("uq_outbox_event_id")),
    )
    op.create_index("outbox_seq", "outbox", ["seq"], unique=True, postgresql_where=sa.text("seq is not null"))
    op.create_index(
        "outbox_unsequenced", "outbox", ["id"], unique=False, postgresql_where=sa.text("seq is null")
    )
    op.create_table(
        "outbox_head",
        sa.Column("one", sa.SmallInteger(), nullable=False),
        sa.Column("last_seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("one", name=op.f("pk_outbox_head")),
    )
    op.create_table(
        "outbox_totals",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("events", sa.BigInteger(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("day", "type", name=op.f("pk_outbox_totals")),
    )
    op.create_table(
        "parked_events",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("seq", sa.BigInteger(), nullable=True),
        sa.Column("event_id", sa.Text(), nullable=True),
        sa.Column("type", sa.Text(), nullable=True),
        sa.Column("reason_code", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("payload", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="1", nullable=False),
        sa.Column("state", sa.Text(), server_default="parked", nullable=False),
        sa.Column("parked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_reason", sa.Text(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state in ('parked', 'redriven', 'discarded')", name=op.f("ck_parked_events_state")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_parked_events")),
    )
    op.create_index(
        "parked_events_open",
        "parked_events",
        ["source", "seq"],
        unique=False,
        postgresql_where=sa.text("state = 'parked'"),
    )
    op.create_table(
        "relay_cursor",
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("confirmed_seq", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("partition", name=op.f("pk_relay_cursor")),
    )
    op.create_table(
        "return_outcomes",
        sa.Column("return_id", sa.Text(), nullable=False),
        sa.Column("branch_id", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=True),
        sa.Column("decided_on", sa.Date(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("return_id", name=op.f("pk_return_outcomes")),
    )
    op.create_table(
        "source_state",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("contiguous_seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("pruned_seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("max_seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("head_seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("advanced_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("source", name=op.f("pk_source_state")),
    )
    op.create_table(
        "ticket_counters",
        sa.Column("branch_id", sa.Text(), nullable=False),
        sa.Column("year", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("branch_id", "year", name=op.f("pk_ticket_counters")),
    )
    op.create_table(
        "tickets",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("branch_id", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=True),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("reporter", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), server_default="", nullable=False),
        sa.Column("product_id", sa.Text(), nullable=True),
        sa.Column("lot", sa.Text(), nullable=True),
        sa.Column("sale_id", sa.Text(), nullable=True),
        sa.Column("return_id", sa.Text(), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("cycle", sa.Integer(), nullable=False),
        sa.Column("handler", sa.Text(), nullable=True),
        sa.Column("handler_role", sa.Text(), nullable=True),
        sa.Column("assigned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("contacted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cause", sa.Text(), nullable=True),
        sa.Column("fault", sa.Text(), nullable=True),
        sa.Column("failed_contacts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tickets")),
        sa.UniqueConstraint("number", name=op.f("uq_tickets_number")),
    )
    op.create_index("tickets_branch", "tickets", ["branch_id", "id"], unique=False)
    op.create_index(
        "tickets_customer",
        "tickets",
        ["customer_id", "id"],
        unique=False,
        postgresql_where=sa.text("customer_id is not null"),
    )
    op.create_index(
        "tickets_return",
        "tickets",
        ["return_id"],
        unique=False,
        postgresql_where=sa.text("return_id is not null"),
    )
    op.create_table(
        "clocks",
        sa.Column("ticket_id", sa.Uuid(), nullable=False),
        sa.Column("cycle", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("branch_id", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stopped_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("breached_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("stopped_at >= started_at", name=op.f("ck_clocks_stops_after_start")),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_clocks_ticket_id")),
        sa.PrimaryKeyConstraint("ticket_id", "cycle", "name", name=op.f("pk_clocks")),
    )
    op.create_index(
        "clocks_running",
        "clocks",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("stopped_at is null and breached_at is null"),
    )
    op.create_table(
        "escalations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("ticket_id", sa.Uuid(), nullable=False),
        sa.Column("branch_id", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("to_role", sa.Text(), nullable=False),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("acknowledged_by", sa.Text(), nullable=True),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_escalations_ticket_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_escalations")),
    )
    op.create_index(
        "escalations_open",
        "escalations",
        ["branch_id", "id"],
        unique=False,
        postgresql_where=sa.text("acknowledged_at is null"),
    )
    op.create_table(
        "feedback_records",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("ticket_id", sa.Uuid(), nullable=False),
        sa.Column("branch_id", sa.Text(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("taken_on", sa.Date(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_feedback_records_ticket_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feedback_records")),
        sa.UniqueConstraint("ticket_id", name=op.f("uq_feedback_records_ticket_id")),
    )
    op.create_index("feedback_records_month", "feedback_records", ["branch_id", "month", "id"], unique=False)
    op.create_table(
        "surveys",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("instrument_version", sa.Integer(), nullable=False),
        sa.Column("branch_id", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("ticket_id", sa.Uuid(), nullable=True),
        sa.Column("cycle", sa.Integer(), nullable=True),
        sa.Column("campaign", sa.Text(), nullable=True),
        sa.Column("delivered", sa.Boolean(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("sent_by", sa.Text(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_by", sa.Text(), nullable=True),
        sa.Column("scores", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(answered_at is null) = (scores is null)", name=op.f("ck_surveys_answered_with_scores")
        ),
        sa.CheckConstraint(
            "(ticket_id is null) <> (campaign is null)", name=op.f("ck_surveys_ticket_or_campaign")
        ),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_surveys_ticket_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_surveys")),
    )
    op.create_index("surveys_branch", "surveys", ["branch_id", "id"], unique=False)
    op.create_index("surveys_customer", "surveys", ["customer_id", "sent_at"], unique=False)
    op.create_index(
        "surveys_per_campaign",
        "surveys",
        ["campaign", "customer_id"],
        unique=True,
        postgresql_where=sa.text("delivered and campaign is not null"),
    )
    op.create_index(
        "surveys_per_cycle",
        "surveys",
        ["ticket_id", "cycle"],
        unique=True,
        postgresql_where=sa.text("delivered and ticket_id is not null"),
    )
    op.create_table(
        "ticket_steps",
        sa.Column("ticket_id", sa.Uuid(), nullable=False),
        sa.Column("no", sa.Integer(), nullable=False),
        sa.Column("cycle", sa.Integer(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "detail",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.Column("note", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_ticket_steps_ticket_id")),
        sa.PrimaryKeyConstraint("ticket_id", "no", name=op.f("pk_ticket_steps")),
    )
    op.create_table(
        "feedback_ledger_entries",
        sa.Column("feedback_id", sa.Uuid(), nullable=False),
        sa.Column("ledger_id", sa.Uuid(), nullable=False),
        sa.Column("is_late", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["feedback_id"], ["feedback_records.id"], name=op.f("fk_feedback_ledger_entries_feedback_id")
        ),
        sa.ForeignKeyConstraint(
            ["ledger_id"], ["feedback_ledgers.id"], name=op.f("fk_feedback_ledger_entries_ledger_id")
        ),
        sa.PrimaryKeyConstraint("feedback_id", name=op.f("pk_feedback_ledger_entries")),
    )
    op.create_index(
        "feedback_ledger_entries_ledger",
        "feedback_ledger_entries",
        ["ledger_id", "feedback_id"],
        unique=False,
    )


def downgrade() -> None:
    op.drop_index("feedback_ledger_entries_ledger", table_name="feedback_ledger_entries")
    op.drop_table("feedback_ledger_entries")
    op.drop_table("ticket_steps")
    op.drop_index(
        "surveys_per_cycle",
        table_name="surveys",
        postgresql_where=sa.text("delivered and ticket_id is not null"),
    )
    op.drop_index(
        "surveys_per_campaign",
        table_name="surveys",
        postgresql_where=sa.text("delivered and campaign is not null"),
    )
    op.drop_index("surveys_customer", table_name="surveys")
    op.drop_index("surveys_branch", table_name="surveys")
    op.drop_table("surveys")
    op.drop_index("feedback_records_month", table_name="feedback_records")
    op.drop_table("feedback_records")
    op.drop_index(
        "escalations_open", table_name="escalations", postgresql_where=sa.text("acknowledged_at is null")
    )
    op.drop_table("escalations")
    op.drop_index(
        "clocks_running",
        table_name="clocks",
        postgresql_where=sa.text("stopped_at is null and breached_at is null"),
    )
    op.drop_table("clocks")
    op.drop_index("tickets_return", table_name="tickets", postgresql_where=sa.text("return_id is not null"))
    op.drop_index(
        "tickets_customer", table_name="tickets", postgresql_where=sa.text("customer_id is not null")
    )
    op.drop_index("tickets_branch", table_name="tickets")
    op.drop_table("tickets")
    op.drop_table("ticket_counters")
    op.drop_table("source_state")
    op.drop_table("return_outcomes")
    op.drop_table("relay_cursor")
    op.drop_index(
        "parked_events_open", table_name="parked_events", postgresql_where=sa.text("state = 'parked'")
    )
    op.drop_table("parked_events")
    op.drop_table("outbox_totals")
    op.drop_table("outbox_head")
    op.drop_index("outbox_unsequenced", table_name="outbox", postgresql_where=sa.text("seq is null"))
    op.drop_index("outbox_seq", table_name="outbox", postgresql_where=sa.text("seq is not null"))
    op.drop_table("outbox")
    op.drop_table("known_sales")
    op.drop_table("known_customers")
    op.drop_table("inbox")
    op.drop_index("idempotency_keys_created_at", table_name="idempotency_keys")
    op.drop_table("idempotency_keys")
    op.drop_table("feedback_ledgers")
    op.drop_table("chain_heads")
    op.drop_index("audit_unsealed", table_name="audit", postgresql_where=sa.text("chain_no is null"))
    op.drop_index("audit_subject", table_name="audit")
    op.drop_index("audit_sealed", table_name="audit", postgresql_where=sa.text("chain_no is not null"))
    op.drop_table("audit")
