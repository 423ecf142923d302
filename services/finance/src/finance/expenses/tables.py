"""Tables of expenses: claims, the invoices they took, plans, targets, reports."""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Index,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)

from finance.kernel.metadata import metadata
from shared.approvals import decision_columns
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


decisions = Table(
    "claim_decisions",
    metadata,
    Column("claim_id", Uuid, nullable=False),
    Column("matter", Text, nullable=False),
    *decision_columns(role_is_key=False),
    PrimaryKeyConstraint("claim_id", "matter", "role"),
    UniqueConstraint("claim_id", "matter", "person"),
    CheckConstraint("matter in ('claim', 'overrun')", name="matter"),
)


declare(
    metadata,
    changes=("expense_claims", "expense_items"),
    removes={"expense_items": "a claim in draft replaces its items"},
)
