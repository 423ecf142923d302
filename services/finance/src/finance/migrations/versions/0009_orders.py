"""Finance: price rules, sales orders, shipments."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

APPEND_ONLY = ("sales_order_revisions", "order_approvals", "shipments", "shipment_lines")

# What a rule says never changes; only its decision is added, once.
RULES = ("price_rules", "sales_strategies", "price_grades")


def guards() -> None:
    for table in APPEND_ONLY:
        op.execute(
            f"create trigger append_only before update or delete on {table}"
            " for each row execute function refuse_change()"
        )
    for table in RULES:
        op.execute(
            f"create trigger append_only before update on {table} for each row"
            " when (old.state <> 'proposed' or old.subject_hash <> new.subject_hash)"
            " execute function refuse_change()"
        )
        op.execute(
            f"create trigger never_deleted before delete on {table}"
            " for each row execute function refuse_change()"
        )


def upgrade() -> None:
    op.execute("create sequence sales_order_numbers as bigint")
    op.create_table(
        "order_approvals",
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("matter", sa.Text(), nullable=False),
        sa.Column("subject_hash", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("approved", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(matter = 'credit' and approved) = (until is not null)", name=op.f("ck_order_approvals_until")
        ),
        sa.CheckConstraint(
            "matter in ('discount', 'below_floor', 'credit')", name=op.f("ck_order_approvals_matter")
        ),
        sa.PrimaryKeyConstraint(
            "order_id", "matter", "subject_hash", "role", name=op.f("pk_order_approvals")
        ),
        sa.UniqueConstraint(
            "order_id",
            "matter",
            "subject_hash",
            "person",
            name=op.f("uq_order_approvals_order_id_matter_subject_hash_person"),
        ),
    )
    op.create_table(
        "price_grades",
        sa.Column("assignment_id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("grade", sa.Text(), nullable=False),
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("subject_hash", sa.Text(), nullable=False),
        sa.Column("proposed_by", sa.Text(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(state = 'proposed') = (decided_by is null)", name=op.f("ck_price_grades_decided")
        ),
        sa.CheckConstraint("grade in ('', 'A', 'B', 'C')", name=op.f("ck_price_grades_grade")),
        sa.CheckConstraint(
            "state in ('proposed', 'approved', 'rejected')", name=op.f("ck_price_grades_state")
        ),
        sa.CheckConstraint("decided_by <> proposed_by", name=op.f("ck_price_grades_two_persons")),
        sa.PrimaryKeyConstraint("assignment_id", name=op.f("pk_price_grades")),
    )
    op.create_index(
        "price_grades_customer",
        "price_grades",
        ["customer_id", "effective_from"],
        unique=False,
        postgresql_where=sa.text("state = 'approved'"),
    )
    op.create_table(
        "price_rules",
        sa.Column("rule_id", sa.Uuid(), nullable=False),
        sa.Column("product_id", sa.Text(), nullable=False),
        sa.Column("customer_kind", sa.Text(), nullable=False),
        sa.Column("grade", sa.Text(), nullable=False),
        sa.Column("list_fen", sa.BigInteger(), nullable=False),
        sa.Column("floor_fen", sa.BigInteger(), nullable=False),
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("subject_hash", sa.Text(), nullable=False),
        sa.Column("proposed_by", sa.Text(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(state = 'proposed') = (decided_by is null)", name=op.f("ck_price_rules_decided")
        ),
        sa.CheckConstraint("grade in ('', 'A', 'B', 'C')", name=op.f("ck_price_rules_grade")),
        sa.CheckConstraint(
            "state in ('proposed', 'approved', 'rejected')", name=op.f("ck_price_rules_state")
        ),
        sa.CheckConstraint("decided_by <> proposed_by", name=op.f("ck_price_rules_two_persons")),
        sa.CheckConstraint("floor_fen > 0 and list_fen >= floor_fen", name=op.f("ck_price_rules_prices")),
        sa.PrimaryKeyConstraint("rule_id", name=op.f("pk_price_rules")),
    )
    op.create_index(
        "price_rules_in_force",
        "price_rules",
        ["product_id", "customer_kind", "grade", "effective_from"],
        unique=False,
        postgresql_where=sa.text("state = 'approved'"),
    )
    op.create_table(
        "sales_order_lines",
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("no", sa.SmallInteger(), nullable=False),
        sa.Column("product", postgresql.JSONB(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("shipped_quantity", sa.Integer(), server_default="0", nullable=False),
        sa.Column("unit_price_fen", sa.BigInteger(), nullable=False),
        sa.Column("unit_discount_fen", sa.BigInteger(), nullable=False),
        sa.Column("tax_bp", sa.Integer(), nullable=False),
        sa.Column("deliver_on", sa.Date(), nullable=False),
        sa.Column("contract_line", sa.Integer(), nullable=True),
        sa.Column("lots", postgresql.JSONB(), nullable=False),
        sa.Column("completed_on", sa.Date(), nullable=True),
        sa.CheckConstraint(
            "shipped_quantity between 0 and quantity", name=op.f("ck_sales_order_lines_shipped")
        ),
        sa.CheckConstraint(
            "unit_discount_fen between 0 and unit_price_fen", name=op.f("ck_sales_order_lines_discount")
        ),
        sa.PrimaryKeyConstraint("order_id", "no", name=op.f("pk_sales_order_lines")),
    )
    op.create_index("sales_order_lines_due", "sales_order_lines", ["deliver_on"], unique=False)
    op.create_table(
        "sales_order_revisions",
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("lines", postgresql.JSONB(), nullable=False),
        sa.Column("subject_hash", sa.Text(), nullable=False),
        sa.Column("total_fen", sa.BigInteger(), nullable=False),
        sa.Column("permission", postgresql.JSONB(), nullable=False),
        sa.Column("prices", postgresql.JSONB(), nullable=False),
        sa.Column("override_id", sa.Uuid(), nullable=True),
        sa.Column("proposed_by", sa.Text(), nullable=False),
        sa.Column("confirmed_by", sa.Text(), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("order_id", "version", name=op.f("pk_sales_order_revisions")),
    )
    op.create_table(
        "sales_orders",
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("branch_id", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("contract_id", sa.Uuid(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("events", sa.Integer(), server_default="0", nullable=False),
        sa.Column("shipments", sa.Integer(), server_default="0", nullable=False),
        sa.Column(
            "proposal",
            postgresql.JSONB(
                none_as_null=True,
            ),
            nullable=True,
        ),
        sa.Column("proposal_hash", sa.Text(), nullable=True),
        sa.Column("proposed_by", sa.Text(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("proposer_roles", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("drafted_by", sa.Text(), nullable=False),
        sa.Column("drafted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_by", sa.Text(), nullable=True),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("permission_version", sa.Integer(), nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "state in ('draft', 'checked', 'confirmed', 'part_shipped', 'shipped', 'closed', 'cancelled')",
            name=op.f("ck_sales_orders_state"),
        ),
        sa.CheckConstraint(
            "state not in ('draft', 'checked') or proposal is not null", name=op.f("ck_sales_orders_draft")
        ),
        sa.CheckConstraint(
            "(proposal is null) = (proposal_hash is null)", name=op.f("ck_sales_orders_proposal")
        ),
        sa.PrimaryKeyConstraint("order_id", name=op.f("pk_sales_orders")),
        sa.UniqueConstraint("number", name=op.f("uq_sales_orders_number")),
    )
    op.create_index("sales_orders_branch", "sales_orders", ["branch_id", "order_id"], unique=False)
    op.create_index("sales_orders_customer", "sales_orders", ["customer_id", "order_id"], unique=False)
    op.create_table(
        "sales_strategies",
        sa.Column("strategy_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("branch_id", sa.Text(), nullable=True),
        sa.Column("products", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("customer_kinds", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("min_quantity", sa.Integer(), nullable=False),
        sa.Column("discount_bp", sa.Integer(), nullable=False),
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("plan_id", sa.Uuid(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("subject_hash", sa.Text(), nullable=False),
        sa.Column("proposed_by", sa.Text(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(kind = 'service_upgrade') = (discount_bp = 0)", name=op.f("ck_sales_strategies_gives")
        ),
        sa.CheckConstraint(
            "(state = 'proposed') = (decided_by is null)", name=op.f("ck_sales_strategies_decided")
        ),
        sa.CheckConstraint(
            "kind in ('promotion', 'price_concession', 'service_upgrade')",
            name=op.f("ck_sales_strategies_kind"),
        ),
        sa.CheckConstraint(
            "state in ('proposed', 'approved', 'rejected')", name=op.f("ck_sales_strategies_state")
        ),
        sa.CheckConstraint("decided_by <> proposed_by", name=op.f("ck_sales_strategies_two_persons")),
        sa.CheckConstraint(
            "discount_bp between 0 and 9999 and min_quantity > 0", name=op.f("ck_sales_strategies_bounds")
        ),
        sa.CheckConstraint("first_day <= last_day", name=op.f("ck_sales_strategies_days")),
        sa.PrimaryKeyConstraint("strategy_id", name=op.f("pk_sales_strategies")),
    )
    op.create_index(
        "sales_strategies_days",
        "sales_strategies",
        ["last_day"],
        unique=False,
        postgresql_where=sa.text("state = 'approved'"),
    )
    op.create_table(
        "shipment_lines",
        sa.Column("shipment_id", sa.Uuid(), nullable=False),
        sa.Column("no", sa.SmallInteger(), nullable=False),
        sa.Column("order_line", sa.SmallInteger(), nullable=False),
        sa.Column("lot", sa.Text(), nullable=False),
        sa.Column("expiry", sa.Date(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("unit_price_fen", sa.BigInteger(), nullable=False),
        sa.Column("unit_discount_fen", sa.BigInteger(), nullable=False),
        sa.Column("tax_bp", sa.Integer(), nullable=False),
        sa.Column("cost_fen", sa.BigInteger(), nullable=False),
        sa.Column("trace_codes", sa.ARRAY(sa.Text()), nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_shipment_lines_quantity")),
        sa.PrimaryKeyConstraint("shipment_id", "no", name=op.f("pk_shipment_lines")),
    )
    op.create_table(
        "shipments",
        sa.Column("shipment_id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("no", sa.Integer(), nullable=False),
        sa.Column("branch_id", sa.Text(), nullable=False),
        sa.Column("sale_id", sa.Uuid(), nullable=False),
        sa.Column("receipt_number", sa.Text(), nullable=False),
        sa.Column("sent_on", sa.Date(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_by", sa.Text(), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("total_fen", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("shipment_id", name=op.f("pk_shipments")),
        sa.UniqueConstraint("order_id", "no", name=op.f("uq_shipments_order_id_no")),
        sa.UniqueConstraint("sale_id", name=op.f("uq_shipments_sale_id")),
    )
    op.create_index("shipments_branch", "shipments", ["branch_id", "shipment_id"], unique=False)
    op.create_index("shipments_sent", "shipments", ["sent_on"], unique=False)
    guards()


def downgrade() -> None:
    op.drop_table("shipments")
    op.drop_table("shipment_lines")
    op.drop_table("sales_strategies")
    op.drop_table("sales_orders")
    op.drop_table("sales_order_revisions")
    op.drop_table("sales_order_lines")
    op.drop_table("price_rules")
    op.drop_table("price_grades")
    op.drop_table("order_approvals")
    op.execute("drop sequence sales_order_numbers")
