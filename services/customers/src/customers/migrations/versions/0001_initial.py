"""The first schema: customers, their licences and permissions, points, and the tables of the mechanism."""

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
        "customers",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("branch_id", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("suspended_for", sa.Text(), nullable=True),
        sa.Column("source_channel", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.Text(), nullable=True),
        sa.Column("class", sa.Text(), server_default="ordinary", nullable=False),
        sa.Column("grade", sa.Text(), server_default="C", nullable=False),
        sa.Column("risk", sa.Text(), server_default="low", nullable=False),
        sa.Column("region", sa.Text(), nullable=True),
        sa.Column("legal_name", sa.Text(), nullable=True),
        sa.Column("uscc", sa.Text(), nullable=True),
        sa.Column("profile", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("consent_refs", sa.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("personal", sa.LargeBinary(), nullable=True),
        sa.Column("phone_index", sa.LargeBinary(), nullable=True),
        sa.Column("content_mac", sa.LargeBinary(), nullable=True),
        sa.Column("last_verified_on", sa.Date(), nullable=True),
        sa.Column("completeness_bp", sa.Integer(), nullable=False),
        sa.Column("registered_on", sa.Date(), nullable=False),
        sa.Column("registered_by", sa.Text(), nullable=False),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint(
            "(kind = 'patient') = (uscc is null)", name=op.f("ck_customers_institutions_have_uscc")
        ),
        sa.CheckConstraint("class in ('key', 'ordinary', 'potential')", name=op.f("ck_customers_class")),
        sa.CheckConstraint("grade in ('A', 'B', 'C')", name=op.f("ck_customers_grade")),
        sa.CheckConstraint(
            "kind in ('patient', 'pharmacy', 'hospital', 'wholesaler', 'agent')",
            name=op.f("ck_customers_kind"),
        ),
        sa.CheckConstraint("risk in ('low', 'medium', 'high')", name=op.f("ck_customers_risk")),
        sa.CheckConstraint(
            "status in ('lead', 'applicant', 'active', 'suspended', 'dormant', 'blacklisted', 'terminated', 'anonymised')",
            name=op.f("ck_customers_status"),
        ),
        sa.CheckConstraint("completeness_bp between 0 and 10000", name=op.f("ck_customers_completeness")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customers")),
    )
    op.create_index("customers_branch", "customers", ["branch_id", "id"], unique=False)
    op.create_index(
        "customers_code", "customers", ["code"], unique=True, postgresql_where=sa.text("code is not null")
    )
    op.create_index(
        "customers_phone_index",
        "customers",
        ["phone_index"],
        unique=False,
        postgresql_where=sa.text("phone_index is not null"),
    )
    op.create_index(
        "customers_uscc", "customers", ["uscc"], unique=True, postgresql_where=sa.text("uscc is not null")
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
        "point_earnings",
        sa.Column("sale_id", sa.Text(), nullable=False),
        sa.Column("sale_line_id", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("branch_id", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("source_seq", sa.BigInteger(), nullable=False),
        sa.Column("cause_event_id", sa.Uuid(), nullable=False),
        sa.Column("gross_fen", sa.BigInteger(), nullable=False),
        sa.Column("basis_fen", sa.BigInteger(), nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "points > 0 and basis_fen between 0 and gross_fen and gross_fen > 0",
            name=op.f("ck_point_earnings_earning"),
        ),
        sa.PrimaryKeyConstraint("sale_id", "sale_line_id", name=op.f("pk_point_earnings")),
    )
    op.create_index("point_earnings_cause", "point_earnings", ["cause_event_id", "sale_line_id"], unique=True)
    op.create_index("point_earnings_customer", "point_earnings", ["customer_id", "source_seq"], unique=False)
    op.create_table(
        "point_refunds",
        sa.Column("refund_id", sa.Text(), nullable=False),
        sa.Column("sale_line_id", sa.Text(), nullable=False),
        sa.Column("sale_id", sa.Text(), nullable=False),
        sa.Column("return_id", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("source_seq", sa.BigInteger(), nullable=False),
        sa.Column("cause_event_id", sa.Uuid(), nullable=False),
        sa.Column("refunded_fen", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("refunded_fen >= 0", name=op.f("ck_point_refunds_refund")),
        sa.PrimaryKeyConstraint("refund_id", "sale_line_id", name=op.f("pk_point_refunds")),
    )
    op.create_index("point_refunds_cause", "point_refunds", ["cause_event_id", "sale_line_id"], unique=True)
    op.create_index("point_refunds_sale", "point_refunds", ["sale_id", "sale_line_id"], unique=False)
    op.create_table(
        "point_sales",
        sa.Column("sale_id", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=True),
        sa.Column("branch_id", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("sale_id", name=op.f("pk_point_sales")),
    )
    op.create_table(
        "relay_cursor",
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("confirmed_seq", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("partition", name=op.f("pk_relay_cursor")),
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
        "subject_keys",
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=True),
        sa.Column("master_key_id", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("destroyed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("destroyed_by", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(wrapped is null) = (destroyed_at is not null)", name=op.f("ck_subject_keys_destroyed")
        ),
        sa.PrimaryKeyConstraint("subject_id", name=op.f("pk_subject_keys")),
    )
    op.create_table(
        "approval_decisions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("approved", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("subject_hash", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_approval_decisions_customer_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval_decisions")),
    )
    op.create_index("approval_decisions_customer", "approval_decisions", ["customer_id"], unique=False)
    op.create_table(
        "contacts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("hcp", sa.Boolean(), nullable=False),
        sa.Column("consent_refs", sa.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("personal", sa.LargeBinary(), nullable=True),
        sa.Column("verified_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=op.f("fk_contacts_customer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contacts")),
    )
    op.create_index("contacts_customer", "contacts", ["customer_id"], unique=False)
    op.create_table(
        "customer_changes",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("fields", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("personal", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_customer_changes_customer_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer_changes")),
    )
    op.create_index("customer_changes_customer", "customer_changes", ["customer_id", "id"], unique=False)
    op.create_table(
        "licences",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("scope", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("file_sha256", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("submitted_by", sa.Text(), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("verified_by", sa.Text(), nullable=True),
        sa.Column("verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("rejection_reason", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), server_default="0", nullable=False),
        sa.CheckConstraint(
            "state in ('submitted', 'verified', 'rejected', 'expired', 'superseded', 'revoked')",
            name=op.f("ck_licences_state"),
        ),
        sa.CheckConstraint("valid_until >= valid_from", name=op.f("ck_licences_validity")),
        sa.CheckConstraint("verified_by <> submitted_by", name=op.f("ck_licences_four_eyes")),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=op.f("fk_licences_customer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_licences")),
    )
    op.create_index("licences_customer", "licences", ["customer_id"], unique=False)
    op.create_table(
        "trade_permissions",
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("permission_version", sa.Integer(), nullable=False),
        sa.Column("allowed", sa.Boolean(), nullable=False),
        sa.Column("categories", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("reasons", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("changes_on", sa.Date(), nullable=True),
        sa.Column("computed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_trade_permissions_customer_id")
        ),
        sa.PrimaryKeyConstraint("customer_id", name=op.f("pk_trade_permissions")),
    )
    op.create_index(
        "trade_permissions_due",
        "trade_permissions",
        ["changes_on"],
        unique=False,
        postgresql_where=sa.text("changes_on is not null"),
    )


def downgrade() -> None:
    op.drop_index(
        "trade_permissions_due",
        table_name="trade_permissions",
        postgresql_where=sa.text("changes_on is not null"),
    )
    op.drop_table("trade_permissions")
    op.drop_index("licences_customer", table_name="licences")
    op.drop_table("licences")
    op.drop_index("customer_changes_customer", table_name="customer_changes")
    op.drop_table("customer_changes")
    op.drop_index("contacts_customer", table_name="contacts")
    op.drop_table("contacts")
    op.drop_index("approval_decisions_customer", table_name="approval_decisions")
    op.drop_table("approval_decisions")
    op.drop_table("subject_keys")
    op.drop_table("source_state")
    op.drop_table("relay_cursor")
    op.drop_table("point_sales")
    op.drop_index("point_refunds_sale", table_name="point_refunds")
    op.drop_index("point_refunds_cause", table_name="point_refunds")
    op.drop_table("point_refunds")
    op.drop_index("point_earnings_customer", table_name="point_earnings")
    op.drop_index("point_earnings_cause", table_name="point_earnings")
    op.drop_table("point_earnings")
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
    op.drop_index("customers_uscc", table_name="customers", postgresql_where=sa.text("uscc is not null"))
    op.drop_index(
        "customers_phone_index", table_name="customers", postgresql_where=sa.text("phone_index is not null")
    )
    op.drop_index("customers_code", table_name="customers", postgresql_where=sa.text("code is not null"))
    op.drop_index("customers_branch", table_name="customers")
    op.drop_table("customers")
    op.drop_table("chain_heads")
    op.drop_index("audit_unsealed", table_name="audit", postgresql_where=sa.text("chain_no is null"))
    op.drop_index("audit_subject", table_name="audit")
    op.drop_index("audit_sealed", table_name="audit", postgresql_where=sa.text("chain_no is not null"))
    op.drop_table("audit")
