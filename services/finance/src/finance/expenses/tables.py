"""Tables of expenses: claims, the invoices they took, plans, targets, reports."""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)

from finance.kernel.metadata import metadata
from shared.tables import INSTANT, declare

claims = Table(
    "expense_claims",
    metadata,
    Column("claim_id", Uuid, primary_key=True),
    Column("branch_id", Text, nullable=False),
    Column("department", Text, nullable=False),
    Column("campaign", Text, nullable=False),
    Column("claimant", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("subject_hash", Text),
    Column("claimed_fen", BigInteger, nullable=False),
    Column("accepted_fen", BigInteger),
    Column("hit", Boolean),
    Column("created_at", INSTANT, nullable=False),
    Column("submitted_at", INSTANT),
    Column("audited_at", INSTANT),
    Column("booked_on", Date),
    Column("paid_on", Date),
    Column("paid_from", Text),
    Column("paid_by", Text),
    CheckConstraint(
        "state in ('draft', 'awaiting_budget', 'submitted', 'manager_approved', 'finance_audited', 'approved',"
        " 'paid', 'rejected')",
        name="state",
    ),
    Index("expense_claims_branch", "branch_id", "claim_id"),
    Index("expense_claims_claimant", "claimant", "claim_id"),
    Index("expense_claims_audited", "audited_at", postgresql_where=text("audited_at is not null")),
)
"""`hit` says that finance's audit reduced or refused something of it (M28)."""

items = Table(
    "expense_items",
    metadata,
    Column("claim_id", Uuid, nullable=False),
    Column("no", SmallInteger, nullable=False),
    Column("category", Text, nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    Column("tax_fen", BigInteger, nullable=False),
    Column("invoice_no", Text, nullable=False),
    Column("spent_on", Date, nullable=False),
    Column("attendees", ARRAY(Text), nullable=False),
    Column("accepted_fen", BigInteger),
    Column("accepted_tax_fen", BigInteger),
    Column("audit_reason", Text),
    Column("budget_id", Uuid),
    PrimaryKeyConstraint("claim_id", "no"),
    CheckConstraint("amount_fen > 0 and tax_fen >= 0 and tax_fen < amount_fen", name="amount"),
    CheckConstraint("accepted_fen between 0 and amount_fen", name="accepted"),
)
"""`amount_fen` holds the tax. Attendees are ids of customers or staff, never names."""

taken_invoices = Table(
    "taken_invoices",
    metadata,
    Column("invoice_no", Text, primary_key=True),
    Column("document_id", Uuid, nullable=False),
    Index("taken_invoices_claim", "document_id"),
)
"""An invoice is used once over the whole tenant, under `invoice_number.key`: by a claim, or by a purchase where the number is
nationwide. A rejected claim gives its invoices back."""

decisions = Table(
    "claim_decisions",
    metadata,
    Column("claim_id", Uuid, nullable=False),
    Column("matter", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("approved", Boolean, nullable=False),
    Column("reason", Text),
    Column("at", INSTANT, nullable=False),
    Column("subject_hash", Text, nullable=False),
    PrimaryKeyConstraint("claim_id", "matter", "role"),
    UniqueConstraint("claim_id", "matter", "person"),
    CheckConstraint("matter in ('claim', 'overrun')", name="matter"),
)

plans = Table(
    "promotion_plans",
    metadata,
    Column("plan_id", Uuid, primary_key=True),
    Column("code", Text, nullable=False, unique=True),
    Column("branch_id", Text, nullable=False),
    Column("first_day", Date, nullable=False),
    Column("last_day", Date, nullable=False),
    Column("products", ARRAY(Text), nullable=False),
    Column("baseline_net_fen", BigInteger, nullable=False),
    Column("baseline_margin_fen", BigInteger, nullable=False),
    Column("uplift_bp", Integer, nullable=False),
    Column("budget_fen", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("subject_hash", Text, nullable=False),
    Column("budget_id", Uuid),
    Column("net_fen", BigInteger),
    Column("margin_fen", BigInteger),
    Column("spent_fen", BigInteger),
    Column("roi_bp", BigInteger),
    Column("prepared_by", Text, nullable=False),
    Column("prepared_at", INSTANT, nullable=False),
    CheckConstraint("first_day <= last_day", name="days"),
    CheckConstraint("state in ('proposed', 'approved', 'rejected', 'closed')", name="state"),
    Index("promotion_plans_branch", "branch_id", "plan_id"),
)

plan_decisions = Table(
    "promotion_decisions",
    metadata,
    Column("plan_id", Uuid, nullable=False),
    Column("role", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("approved", Boolean, nullable=False),
    Column("reason", Text),
    Column("at", INSTANT, nullable=False),
    Column("subject_hash", Text, nullable=False),
    PrimaryKeyConstraint("plan_id", "role"),
    UniqueConstraint("plan_id", "person"),
)

drawings = Table(
    "promotion_drawings",
    metadata,
    Column("drawing_id", Uuid, primary_key=True),
    Column("plan_id", Uuid, nullable=False),
    Column("offer_id", Text, nullable=False),
    Column("amount_fen", BigInteger, nullable=False),
    Column("used_fen", BigInteger),
    Column("drawn_by", Text, nullable=False),
    Column("drawn_at", INSTANT, nullable=False),
    Column("settled_at", INSTANT),
    UniqueConstraint("plan_id", "offer_id"),
    CheckConstraint("amount_fen > 0", name="amount"),
    CheckConstraint("used_fen between 0 and amount_fen", name="used"),
)

targets = Table(
    "sales_targets",
    metadata,
    Column("target_id", Uuid, primary_key=True),
    Column("branch_id", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("month", Date, nullable=False),
    Column("net_fen", BigInteger, nullable=False),
    Column("strategy", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("set_by", Text, nullable=False),
    Column("set_at", INSTANT, nullable=False),
    UniqueConstraint("branch_id", "person", "channel", "month"),
    CheckConstraint("extract(day from month) = 1", name="first_day"),
)
"""`person` and `channel` are '' in a target of the whole branch or of every channel."""

reports = Table(
    "sales_reports",
    metadata,
    Column("person", Text, primary_key=True),
    Column("branch_id", Text, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("reported_fen", BigInteger, nullable=False),
    Column("posted_fen", BigInteger, nullable=False),
    Column("visits", Integer, nullable=False),
    Column("on_time", Boolean, nullable=False),
    Column("reported_at", INSTANT, nullable=False),
    Index("sales_reports_branch", "branch_id", "day"),
)
"""What a person said of a day, beside what was posted under the name at that moment."""

crm_records = Table(
    "crm_records",
    metadata,
    Column("record_id", Uuid, primary_key=True),
    Column("project", Text, nullable=False),
    Column("month", Date, nullable=False),
    Column("kind", Text, nullable=False),
    Column("fen", BigInteger, nullable=False),
    Column("basis", Text, nullable=False),
    Column("recorded_by", Text, nullable=False),
    Column("recorded_at", INSTANT, nullable=False),
    CheckConstraint("kind in ('development', 'running', 'gain', 'saving')", name="kind"),
    Index("crm_records_project", "project", "month"),
)
"""Append-only; a correction is a further record, which may be negative."""

declare(
    metadata,
    changes=("expense_claims", "expense_items", "promotion_plans", "promotion_drawings", "sales_targets"),
    removes={
        "expense_items": "a claim in draft replaces its items",
        "taken_invoices": "a rejected claim gives its invoices free",
    },
)
