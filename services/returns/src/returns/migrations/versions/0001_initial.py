"""Everything Returns starts with, and the guard that keeps the history of notices append-only."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# The one change a row of history ever sees: its number and hash in the chain, once.
GUARD = """
create function notice_history_guard() returns trigger language plpgsql as $$
begin
    if tg_op = 'UPDATE' and old.chain_no is null and old.chain_hash is null
        and (to_jsonb(new) - 'chain_no' - 'chain_hash') = (to_jsonb(old) - 'chain_no' - 'chain_hash') then
        return new;
    end if;
    raise exception 'the history of notices is append-only' using errcode = 'restrict_violation';
end $$
"""
TRIGGERS = """
create trigger notice_history_guard before update or delete on notice_history
    for each row execute function notice_history_guard();
create trigger notice_history_kept before truncate on notice_history
    for each statement execute function notice_history_guard();
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
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
        "return_allotments",
        sa.Column("sale_id", sa.Text(), nullable=False),
        sa.Column("sale_line_id", sa.Text(), nullable=False),
        sa.Column("lot", sa.Text(), nullable=False),
        sa.Column("sold", sa.Integer(), nullable=False),
        sa.Column("reserved", sa.Integer(), nullable=False),
        sa.Column("settled", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "0 <= settled and settled <= reserved and reserved <= sold",
            name=op.f("ck_return_allotments_within_sold"),
        ),
        sa.PrimaryKeyConstraint("sale_id", "sale_line_id", "lot", name=op.f("pk_return_allotments")),
    )
    op.create_table(
        "return_notices",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("branch_id", sa.Text(), nullable=False),
        sa.Column("sale_id", sa.Text(), nullable=True),
        sa.Column("receipt_number", sa.Text(), nullable=True),
        sa.Column("customer_id", sa.Text(), nullable=True),
        sa.Column("sold_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("request", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("subject_hash", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=True),
        sa.Column("cause_detail", sa.Text(), nullable=True),
        sa.Column("requested_by", sa.Text(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_by", sa.Text(), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("refund_fen", sa.BigInteger(), nullable=True),
        sa.Column("refund_id", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "cause in ('not_ours', 'over_quantity', 'ineligible')", name=op.f("ck_return_notices_cause")
        ),
        sa.CheckConstraint("kind in ('b2b', 'retail')", name=op.f("ck_return_notices_kind")),
        sa.CheckConstraint(
            "status in ('requested', 'refused', 'approved', 'rejected', 'pickup_ordered', 'picked_up', 'received', 'receipt_refused', 'inspected', 'not_accepted', 'dispositioned', 'settled', 'archived', 'cancelled')",
            name=op.f("ck_return_notices_status"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_return_notices")),
        sa.UniqueConstraint("number", name=op.f("uq_return_notices_number")),
    )
    op.create_index("return_notices_branch", "return_notices", ["branch_id", "id"], unique=False)
    op.create_index("return_notices_customer", "return_notices", ["customer_id", "id"], unique=False)
    op.create_index("return_notices_sale", "return_notices", ["sale_id"], unique=False)
    op.create_table(
        "return_numbers",
        sa.Column("branch_id", sa.Text(), nullable=False),
        sa.Column("year", sa.SmallInteger(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("branch_id", "year", name=op.f("pk_return_numbers")),
    )
    op.create_table(
        "customer_kinds",
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("customer_id", name=op.f("pk_customer_kinds")),
    )
    op.create_table(
        "sold_lines",
        sa.Column("sale_day", sa.Date(), nullable=False),
        sa.Column("sale_id", sa.Text(), nullable=False),
        sa.Column("sale_line_id", sa.Text(), nullable=False),
        sa.Column("lot", sa.Text(), nullable=False),
        sa.Column("branch_id", sa.Text(), nullable=False),
        sa.Column("receipt_number", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=True),
        sa.Column("sold_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("product_id", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("temp_class", sa.Text(), nullable=False),
        sa.Column("expiry", sa.Date(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("net_fen", sa.BigInteger(), nullable=False),
        sa.Column("tax_fen", sa.BigInteger(), nullable=False),
        sa.Column("cost_fen", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("sale_day", "sale_id", "sale_line_id", "lot", name=op.f("pk_sold_lines")),
        postgresql_partition_by="RANGE (sale_day)",
    )
    op.create_index("sold_lines_receipt", "sold_lines", ["branch_id", "receipt_number"], unique=False)
    op.create_index("sold_lines_sale", "sold_lines", ["sale_id"], unique=False)
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
        "notice_history",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("notice_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("fact", sa.Text(), nullable=False),
        sa.Column("from_status", sa.Text(), nullable=True),
        sa.Column("to_status", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("roles", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("detail", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("chain_no", sa.BigInteger(), nullable=True),
        sa.Column("chain_hash", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["notice_id"], ["return_notices.id"], name=op.f("fk_notice_history_notice_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice_history")),
        sa.UniqueConstraint("notice_id", "version", name=op.f("uq_notice_history_notice_id_version")),
    )
    op.create_index(
        "notice_history_sealed",
        "notice_history",
        ["stream", "chain_no"],
        unique=True,
        postgresql_where=sa.text("chain_no is not null"),
    )
    op.create_index(
        "notice_history_unsealed",
        "notice_history",
        ["id"],
        unique=False,
        postgresql_where=sa.text("chain_no is null"),
    )
    op.create_table(
        "return_decisions",
        sa.Column("notice_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("approved", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("subject_hash", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["notice_id"], ["return_notices.id"], name=op.f("fk_return_decisions_notice_id")
        ),
        sa.PrimaryKeyConstraint("notice_id", "role", name=op.f("pk_return_decisions")),
        sa.UniqueConstraint("notice_id", "person", name=op.f("uq_return_decisions_notice_id_person")),
    )
    op.create_table(
        "return_lines",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("notice_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("sale_line_id", sa.Text(), nullable=False),
        sa.Column("lot", sa.Text(), nullable=False),
        sa.Column("product_id", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("temp_class", sa.Text(), nullable=False),
        sa.Column("expiry", sa.Date(), nullable=False),
        sa.Column("sold_quantity", sa.Integer(), nullable=False),
        sa.Column("sold_net_fen", sa.BigInteger(), nullable=False),
        sa.Column("sold_tax_fen", sa.BigInteger(), nullable=False),
        sa.Column("sold_cost_fen", sa.BigInteger(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("received_quantity", sa.Integer(), nullable=False),
        sa.Column("accepted_quantity", sa.Integer(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("receipt_cause", sa.Text(), nullable=True),
        sa.Column("result", sa.Text(), nullable=True),
        sa.Column("inspected_by", sa.Text(), nullable=True),
        sa.Column("disposition", sa.Text(), nullable=True),
        sa.Column("net_fen", sa.BigInteger(), nullable=True),
        sa.Column("tax_fen", sa.BigInteger(), nullable=True),
        sa.Column("cost_fen", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "disposition in ('restock', 'supplier_return', 'destroy', 'lab_hold')",
            name=op.f("ck_return_lines_disposition"),
        ),
        sa.CheckConstraint(
            "receipt_cause in ('missing', 'gap', 'excursion', 'calibration', 'mismatch')",
            name=op.f("ck_return_lines_receipt_cause"),
        ),
        sa.CheckConstraint("result in ('pass', 'fail', 'undetermined')", name=op.f("ck_return_lines_result")),
        sa.CheckConstraint(
            "status in ('requested', 'not_arrived', 'receipt_refused', 'received', 'inspected', 'held', 'dispositioned', 'settled')",
            name=op.f("ck_return_lines_status"),
        ),
        sa.CheckConstraint(
            "0 <= accepted_quantity and accepted_quantity <= received_quantity and received_quantity <= quantity",
            name=op.f("ck_return_lines_quantities"),
        ),
        sa.ForeignKeyConstraint(["notice_id"], ["return_notices.id"], name=op.f("fk_return_lines_notice_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_return_lines")),
        sa.UniqueConstraint(
            "notice_id", "sale_line_id", "lot", name=op.f("uq_return_lines_notice_id_sale_line_id_lot")
        ),
    )
    op.create_table(
        "return_pickups",
        sa.Column("notice_id", sa.Uuid(), nullable=False),
        sa.Column("ordered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("confirmed_by", sa.Text(), nullable=True),
        sa.Column("on_time", sa.Boolean(), nullable=True),
        sa.Column("breached_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["notice_id"], ["return_notices.id"], name=op.f("fk_return_pickups_notice_id")
        ),
        sa.PrimaryKeyConstraint("notice_id", name=op.f("pk_return_pickups")),
    )
    op.create_index(
        "return_pickups_open",
        "return_pickups",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("confirmed_at is null and breached_at is null"),
    )
    op.create_table(
        "return_receipts",
        sa.Column("notice_id", sa.Uuid(), nullable=False),
        sa.Column("receiver", sa.Text(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("quarantine_location", sa.Text(), nullable=False),
        sa.Column("carrier", sa.Text(), nullable=True),
        sa.Column("vehicle", sa.Text(), nullable=True),
        sa.Column("dispatch_place", sa.Text(), nullable=True),
        sa.Column("dispatched_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("arrival_decicelsius", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["notice_id"], ["return_notices.id"], name=op.f("fk_return_receipts_notice_id")
        ),
        sa.PrimaryKeyConstraint("notice_id", name=op.f("pk_return_receipts")),
    )
    op.create_table(
        "cold_chain_evidence",
        sa.Column("line_id", sa.Uuid(), nullable=False),
        sa.Column("evidence", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("fault", sa.Text(), nullable=True),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["line_id"], ["return_lines.id"], name=op.f("fk_cold_chain_evidence_line_id")
        ),
        sa.PrimaryKeyConstraint("line_id", name=op.f("pk_cold_chain_evidence")),
    )
    op.create_table(
        "inspection_reports",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("line_id", sa.Uuid(), nullable=False),
        sa.Column("inspector", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cases", sa.Integer(), nullable=False),
        sa.Column("is_intact", sa.Boolean(), nullable=False),
        sa.Column("has_anomaly", sa.Boolean(), nullable=False),
        sa.Column("cases_required", sa.Integer(), nullable=False),
        sa.Column("packs_per_case_required", sa.Integer(), nullable=True),
        sa.Column("cases_sampled", sa.Integer(), nullable=False),
        sa.Column("checks", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("accepted_quantity", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "result in ('pass', 'fail', 'undetermined')", name=op.f("ck_inspection_reports_result")
        ),
        sa.ForeignKeyConstraint(["line_id"], ["return_lines.id"], name=op.f("fk_inspection_reports_line_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inspection_reports")),
    )
    op.create_index(op.f("ix_inspection_reports_line_id"), "inspection_reports", ["line_id"], unique=False)
    op.execute(GUARD)
    op.execute(TRIGGERS)


def downgrade() -> None:
    op.drop_index(op.f("ix_inspection_reports_line_id"), table_name="inspection_reports")
    op.drop_table("inspection_reports")
    op.drop_table("cold_chain_evidence")
    op.drop_table("return_receipts")
    op.drop_index(
        "return_pickups_open",
        table_name="return_pickups",
        postgresql_where=sa.text("confirmed_at is null and breached_at is null"),
    )
    op.drop_table("return_pickups")
    op.drop_table("return_lines")
    op.drop_table("return_decisions")
    op.drop_index(
        "notice_history_unsealed", table_name="notice_history", postgresql_where=sa.text("chain_no is null")
    )
    op.drop_index(
        "notice_history_sealed", table_name="notice_history", postgresql_where=sa.text("chain_no is not null")
    )
    op.drop_table("notice_history")
    op.drop_table("source_state")
    op.drop_table("customer_kinds")
    op.drop_index("sold_lines_sale", table_name="sold_lines")
    op.drop_index("sold_lines_receipt", table_name="sold_lines")
    op.drop_table("sold_lines")
    op.drop_table("return_numbers")
    op.drop_index("return_notices_sale", table_name="return_notices")
    op.drop_index("return_notices_customer", table_name="return_notices")
    op.drop_index("return_notices_branch", table_name="return_notices")
    op.drop_table("return_notices")
    op.drop_table("return_allotments")
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
    op.drop_table("inbox")
    op.drop_index("idempotency_keys_created_at", table_name="idempotency_keys")
    op.drop_table("idempotency_keys")
    op.drop_table("chain_heads")
    op.drop_index("audit_unsealed", table_name="audit", postgresql_where=sa.text("chain_no is null"))
    op.drop_index("audit_subject", table_name="audit")
    op.drop_index("audit_sealed", table_name="audit", postgresql_where=sa.text("chain_no is not null"))
    op.drop_table("audit")
    op.execute("drop function notice_history_guard()")
