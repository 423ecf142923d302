"""Expense claims, budgets, promotion plans, sales targets; purchase prices, stock of lots, cost runs, alerts.

Selling expenses become a control account with one account per category.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

APPEND_ONLY = ("budget_movements", "stock_moves", "crm_records")
SELLING_EXPENSES = (("small", "5601"), ("cas", "6601"))
DETAILS = (
    ("01", "selling_travel", "差旅费", "travel"),
    ("02", "selling_entertainment", "业务招待费", "business entertainment"),
    ("03", "selling_after_sales", "售后服务费", "after-sales service"),
    ("04", "selling_promotion", "广告宣传费", "advertising and promotion"),
    ("05", "selling_freight", "运输费", "freight"),
    ("06", "selling_communication", "通讯费", "communication"),
    ("07", "selling_office", "办公费", "office"),
    ("08", "selling_samples", "样品", "samples"),
    ("99", "selling_other", "其他", "other"),
)


def detail_accounts() -> None:
    accounts = sa.text(
        "insert into accounts (standard, code, meaning, zh, en, type, leaf)"
        " values (:standard, :code, :meaning, :zh, :en, 'expense', true) on conflict do nothing"
    )
    for standard, control in SELLING_EXPENSES:
        for number, meaning, zh, en in DETAILS:
            op.execute(
                accounts.bindparams(
                    standard=standard,
                    code=f"{control}.{number}",
                    meaning=meaning,
                    zh=f"销售费用-{zh}",
                    en=f"Selling expenses, {en}",
                )
            )
    op.execute("update accounts set leaf = false where meaning = 'selling_expenses'")


def guards() -> None:
    for table in APPEND_ONLY:
        op.execute(
            f"create trigger append_only before update or delete on {table}"
            " for each row execute function refuse_change()"
        )


def upgrade() -> None:
    op.create_table(
        "below_cost_alerts",
        sa.Column("line_id", sa.Uuid(), nullable=False),
        sa.Column("sale_id", sa.Uuid(), nullable=False),
        sa.Column("branch_id", sa.Text(), nullable=False),
        sa.Column("booked_on", sa.Date(), nullable=False),
        sa.Column("product_id", sa.Text(), nullable=False),
        sa.Column("lot", sa.Text(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("net_fen", sa.BigInteger(), nullable=False),
        sa.Column("cost_fen", sa.BigInteger(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("sold_by", sa.Text(), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("acknowledged_by", sa.Text(), nullable=True),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.CheckConstraint("basis in ('till', 'average')", name=op.f("ck_below_cost_alerts_basis")),
        sa.PrimaryKeyConstraint("line_id", name=op.f("pk_below_cost_alerts")),
    )
    op.create_index("below_cost_alerts_branch", "below_cost_alerts", ["branch_id", "line_id"], unique=False)
    op.create_table(
        "below_cost_scan",
        sa.Column("one", sa.SmallInteger(), nullable=False),
        sa.Column("last_seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("one", name=op.f("pk_below_cost_scan")),
    )
    op.create_table(
        "budget_movements",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("budget_id", sa.Uuid(), nullable=False),
        sa.Column("source_kind", sa.Text(), nullable=False),
        sa.Column("source_id", sa.Uuid(), nullable=False),
        sa.Column("reserved_fen", sa.BigInteger(), nullable=False),
        sa.Column("actual_fen", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_budget_movements")),
    )
    op.create_index("budget_movements_budget", "budget_movements", ["budget_id", "id"], unique=False)
    op.create_table(
        "budgets",
        sa.Column("budget_id", sa.Uuid(), nullable=False),
        sa.Column("branch_id", sa.Text(), nullable=False),
        sa.Column("department", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("campaign", sa.Text(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("reserved_fen", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("actual_fen", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("overrun", sa.Text(), nullable=False),
        sa.Column("exceeded", sa.Integer(), server_default="0", nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("(category = '') <> (campaign = '')", name=op.f("ck_budgets_dimension")),
        sa.CheckConstraint("overrun in ('stop', 'approval')", name=op.f("ck_budgets_overrun")),
        sa.CheckConstraint(
            "amount_fen >= 0 and reserved_fen >= 0 and actual_fen >= 0", name=op.f("ck_budgets_amounts")
        ),
        sa.CheckConstraint("first_day <= last_day", name=op.f("ck_budgets_days")),
        sa.PrimaryKeyConstraint("budget_id", name=op.f("pk_budgets")),
        sa.UniqueConstraint(
            "branch_id",
            "department",
            "category",
            "campaign",
            "first_day",
            name=op.f("uq_budgets_branch_id_department_category_campaign_first_day"),
        ),
    )
    op.create_table(
        "claim_decisions",
        sa.Column("claim_id", sa.Uuid(), nullable=False),
        sa.Column("matter", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("approved", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("subject_hash", sa.Text(), nullable=False),
        sa.CheckConstraint("matter in ('claim', 'overrun')", name=op.f("ck_claim_decisions_matter")),
        sa.PrimaryKeyConstraint("claim_id", "matter", "role", name=op.f("pk_claim_decisions")),
        sa.UniqueConstraint(
            "claim_id", "matter", "person", name=op.f("uq_claim_decisions_claim_id_matter_person")
        ),
    )
    op.create_table(
        "cost_runs",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("branch_id", sa.Text(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("no", sa.Integer(), nullable=False),
        sa.Column("from_day", sa.Date(), nullable=False),
        sa.Column("until_day", sa.Date(), nullable=False),
        sa.Column("lots", sa.Integer(), nullable=False),
        sa.Column("adjustment_fen", sa.BigInteger(), nullable=False),
        sa.Column("run_by", sa.Text(), nullable=False),
        sa.Column("run_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_cost_runs")),
        sa.UniqueConstraint("branch_id", "month", "no", name=op.f("uq_cost_runs_branch_id_month_no")),
    )
    op.create_table(
        "crm_records",
        sa.Column("record_id", sa.Uuid(), nullable=False),
        sa.Column("project", sa.Text(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("fen", sa.BigInteger(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "kind in ('development', 'running', 'gain', 'saving')", name=op.f("ck_crm_records_kind")
        ),
        sa.PrimaryKeyConstraint("record_id", name=op.f("pk_crm_records")),
    )
    op.create_index("crm_records_project", "crm_records", ["project", "month"], unique=False)
    op.create_table(
        "expense_claims",
        sa.Column("claim_id", sa.Uuid(), nullable=False),
        sa.Column("branch_id", sa.Text(), nullable=False),
        sa.Column("department", sa.Text(), nullable=False),
        sa.Column("campaign", sa.Text(), nullable=False),
        sa.Column("claimant", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("subject_hash", sa.Text(), nullable=True),
        sa.Column("claimed_fen", sa.BigInteger(), nullable=False),
        sa.Column("accepted_fen", sa.BigInteger(), nullable=True),
        sa.Column("hit", sa.Boolean(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("audited_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("booked_on", sa.Date(), nullable=True),
        sa.Column("paid_on", sa.Date(), nullable=True),
        sa.Column("paid_from", sa.Text(), nullable=True),
        sa.Column("paid_by", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "state in ('draft', 'awaiting_budget', 'submitted', 'manager_approved', 'finance_audited', 'approved', 'paid', 'rejected')",
            name=op.f("ck_expense_claims_state"),
        ),
        sa.PrimaryKeyConstraint("claim_id", name=op.f("pk_expense_claims")),
    )
    op.create_index(
        "expense_claims_audited",
        "expense_claims",
        ["audited_at"],
        unique=False,
        postgresql_where=sa.text("audited_at is not null"),
    )
    op.create_index("expense_claims_branch", "expense_claims", ["branch_id", "claim_id"], unique=False)
    op.create_index("expense_claims_claimant", "expense_claims", ["claimant", "claim_id"], unique=False)
    op.create_table(
        "expense_items",
        sa.Column("claim_id", sa.Uuid(), nullable=False),
        sa.Column("no", sa.SmallInteger(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("tax_fen", sa.BigInteger(), nullable=False),
        sa.Column("invoice_no", sa.Text(), nullable=False),
        sa.Column("spent_on", sa.Date(), nullable=False),
        sa.Column("attendees", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("accepted_fen", sa.BigInteger(), nullable=True),
        sa.Column("accepted_tax_fen", sa.BigInteger(), nullable=True),
        sa.Column("audit_reason", sa.Text(), nullable=True),
        sa.Column("budget_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("accepted_fen between 0 and amount_fen", name=op.f("ck_expense_items_accepted")),
        sa.CheckConstraint(
            "amount_fen > 0 and tax_fen >= 0 and tax_fen < amount_fen", name=op.f("ck_expense_items_amount")
        ),
        sa.PrimaryKeyConstraint("claim_id", "no", name=op.f("pk_expense_items")),
    )
    op.create_table(
        "goods_receipt_lines",
        sa.Column("goods_receipt_id", sa.Uuid(), nullable=False),
        sa.Column("no", sa.SmallInteger(), nullable=False),
        sa.Column("booked_on", sa.Date(), nullable=False),
        sa.Column("branch_id", sa.Text(), nullable=False),
        sa.Column("supplier_id", sa.Text(), nullable=False),
        sa.Column("product_id", sa.Text(), nullable=False),
        sa.Column("lot", sa.Text(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("unit_price_fen", sa.BigInteger(), nullable=False),
        sa.Column("net_fen", sa.BigInteger(), nullable=False),
        sa.Column("tax_bp", sa.Integer(), nullable=False),
        sa.Column("tax_fen", sa.BigInteger(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=True),
        sa.Column("reference_price_fen", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "reference in ('standard', 'last')", name=op.f("ck_goods_receipt_lines_reference")
        ),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_goods_receipt_lines_quantity")),
        sa.PrimaryKeyConstraint("goods_receipt_id", "no", name=op.f("pk_goods_receipt_lines")),
    )
    op.create_index("goods_receipt_lines_month", "goods_receipt_lines", ["booked_on"], unique=False)
    op.create_index(
        "goods_receipt_lines_product",
        "goods_receipt_lines",
        ["product_id", "booked_on", "goods_receipt_id"],
        unique=False,
    )
    op.create_table(
        "goods_receipts",
        sa.Column("goods_receipt_id", sa.Uuid(), nullable=False),
        sa.Column("branch_id", sa.Text(), nullable=False),
        sa.Column("supplier_id", sa.Text(), nullable=False),
        sa.Column("invoice_no", sa.Text(), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("booked_on", sa.Date(), nullable=False),
        sa.Column("net_fen", sa.BigInteger(), nullable=False),
        sa.Column("tax_fen", sa.BigInteger(), nullable=False),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("goods_receipt_id", name=op.f("pk_goods_receipts")),
        sa.UniqueConstraint(
            "supplier_id", "invoice_no", name=op.f("uq_goods_receipts_supplier_id_invoice_no")
        ),
    )
    op.create_index(
        "goods_receipts_branch", "goods_receipts", ["branch_id", "goods_receipt_id"], unique=False
    )
    op.create_table(
        "lot_stock",
        sa.Column("branch_id", sa.Text(), nullable=False),
        sa.Column("product_id", sa.Text(), nullable=False),
        sa.Column("lot", sa.Text(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("value_fen", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "quantity >= 0 and value_fen >= 0 and (quantity > 0 or value_fen = 0)",
            name=op.f("ck_lot_stock_stock"),
        ),
        sa.PrimaryKeyConstraint("branch_id", "product_id", "lot", name=op.f("pk_lot_stock")),
    )
    op.create_table(
        "promotion_decisions",
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("approved", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("subject_hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("plan_id", "role", name=op.f("pk_promotion_decisions")),
        sa.UniqueConstraint("plan_id", "person", name=op.f("uq_promotion_decisions_plan_id_person")),
    )
    op.create_table(
        "promotion_drawings",
        sa.Column("drawing_id", sa.Uuid(), nullable=False),
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("offer_id", sa.Text(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("used_fen", sa.BigInteger(), nullable=True),
        sa.Column("drawn_by", sa.Text(), nullable=False),
        sa.Column("drawn_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_promotion_drawings_amount")),
        sa.CheckConstraint("used_fen between 0 and amount_fen", name=op.f("ck_promotion_drawings_used")),
        sa.PrimaryKeyConstraint("drawing_id", name=op.f("pk_promotion_drawings")),
        sa.UniqueConstraint("plan_id", "offer_id", name=op.f("uq_promotion_drawings_plan_id_offer_id")),
    )
    op.create_table(
        "promotion_plans",
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("branch_id", sa.Text(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("products", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("baseline_net_fen", sa.BigInteger(), nullable=False),
        sa.Column("baseline_margin_fen", sa.BigInteger(), nullable=False),
        sa.Column("uplift_bp", sa.Integer(), nullable=False),
        sa.Column("budget_fen", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("subject_hash", sa.Text(), nullable=False),
        sa.Column("budget_id", sa.Uuid(), nullable=True),
        sa.Column("net_fen", sa.BigInteger(), nullable=True),
        sa.Column("margin_fen", sa.BigInteger(), nullable=True),
        sa.Column("spent_fen", sa.BigInteger(), nullable=True),
        sa.Column("roi_bp", sa.BigInteger(), nullable=True),
        sa.Column("prepared_by", sa.Text(), nullable=False),
        sa.Column("prepared_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state in ('proposed', 'approved', 'rejected', 'closed')", name=op.f("ck_promotion_plans_state")
        ),
        sa.CheckConstraint("first_day <= last_day", name=op.f("ck_promotion_plans_days")),
        sa.PrimaryKeyConstraint("plan_id", name=op.f("pk_promotion_plans")),
        sa.UniqueConstraint("code", name=op.f("uq_promotion_plans_code")),
    )
    op.create_index("promotion_plans_branch", "promotion_plans", ["branch_id", "plan_id"], unique=False)
    op.create_table(
        "sales_reports",
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("branch_id", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("reported_fen", sa.BigInteger(), nullable=False),
        sa.Column("posted_fen", sa.BigInteger(), nullable=False),
        sa.Column("visits", sa.Integer(), nullable=False),
        sa.Column("on_time", sa.Boolean(), nullable=False),
        sa.Column("reported_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("person", "branch_id", "day", name=op.f("pk_sales_reports")),
    )
    op.create_index("sales_reports_branch", "sales_reports", ["branch_id", "day"], unique=False)
    op.create_table(
        "sales_targets",
        sa.Column("target_id", sa.Uuid(), nullable=False),
        sa.Column("branch_id", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("net_fen", sa.BigInteger(), nullable=False),
        sa.Column("strategy", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("set_by", sa.Text(), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("extract(day from month) = 1", name=op.f("ck_sales_targets_first_day")),
        sa.PrimaryKeyConstraint("target_id", name=op.f("pk_sales_targets")),
        sa.UniqueConstraint(
            "branch_id",
            "person",
            "channel",
            "month",
            name=op.f("uq_sales_targets_branch_id_person_channel_month"),
        ),
    )
    op.create_table(
        "standard_prices",
        sa.Column("product_id", sa.Text(), nullable=False),
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column("unit_price_fen", sa.BigInteger(), nullable=False),
        sa.Column("set_by", sa.Text(), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("product_id", "effective_from", name=op.f("pk_standard_prices")),
    )
    op.create_table(
        "stock_moves",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("branch_id", sa.Text(), nullable=False),
        sa.Column("product_id", sa.Text(), nullable=False),
        sa.Column("lot", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("value_fen", sa.BigInteger(), nullable=False),
        sa.Column("adjustment_fen", sa.BigInteger(), nullable=False),
        sa.Column("source_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("kind in ('receipt', 'cost_run')", name=op.f("ck_stock_moves_kind")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_moves")),
    )
    op.create_index(
        "stock_moves_day", "stock_moves", ["day"], unique=False, postgresql_where=sa.text("kind = 'cost_run'")
    )
    op.create_index("stock_moves_lot", "stock_moves", ["branch_id", "product_id", "lot", "day"], unique=False)
    op.create_table(
        "taken_invoices",
        sa.Column("invoice_no", sa.Text(), nullable=False),
        sa.Column("claim_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("invoice_no", name=op.f("pk_taken_invoices")),
    )
    op.create_index("taken_invoices_claim", "taken_invoices", ["claim_id"], unique=False)
    guards()
    detail_accounts()


def downgrade() -> None:
    op.drop_index("taken_invoices_claim", table_name="taken_invoices")
    op.drop_table("taken_invoices")
    op.drop_index("stock_moves_lot", table_name="stock_moves")
    op.drop_index("stock_moves_day", table_name="stock_moves", postgresql_where=sa.text("kind = 'cost_run'"))
    op.drop_table("stock_moves")
    op.drop_table("standard_prices")
    op.drop_table("sales_targets")
    op.drop_index("sales_reports_branch", table_name="sales_reports")
    op.drop_table("sales_reports")
    op.drop_index("promotion_plans_branch", table_name="promotion_plans")
    op.drop_table("promotion_plans")
    op.drop_table("promotion_drawings")
    op.drop_table("promotion_decisions")
    op.drop_table("lot_stock")
    op.drop_index("goods_receipts_branch", table_name="goods_receipts")
    op.drop_table("goods_receipts")
    op.drop_index("goods_receipt_lines_product", table_name="goods_receipt_lines")
    op.drop_index("goods_receipt_lines_month", table_name="goods_receipt_lines")
    op.drop_table("goods_receipt_lines")
    op.drop_table("expense_items")
    op.drop_index("expense_claims_claimant", table_name="expense_claims")
    op.drop_index("expense_claims_branch", table_name="expense_claims")
    op.drop_index(
        "expense_claims_audited",
        table_name="expense_claims",
        postgresql_where=sa.text("audited_at is not null"),
    )
    op.drop_table("expense_claims")
    op.drop_index("crm_records_project", table_name="crm_records")
    op.drop_table("crm_records")
    op.drop_table("cost_runs")
    op.drop_table("claim_decisions")
    op.drop_table("budgets")
    op.drop_index("budget_movements_budget", table_name="budget_movements")
    op.drop_table("budget_movements")
    op.drop_table("below_cost_scan")
    op.drop_index("below_cost_alerts_branch", table_name="below_cost_alerts")
    op.drop_table("below_cost_alerts")
    detailed = ", ".join(f"'{meaning}'" for _, meaning, _, _ in DETAILS)
    op.execute(f"delete from accounts where meaning in ({detailed})")
    op.execute("update accounts set leaf = true where meaning = 'selling_expenses'")
