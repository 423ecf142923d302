"""Finance: whatever is posted draws on budgets; what one spends is told by category and day, as the ledger tells it."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

OF_CLAIMS = """
update budget_movements m set category = b.category, booked_on = c.booked_on
from budgets b, expense_claims c
where b.budget_id = m.budget_id and b.category <> '' and m.source_kind = 'claim' and m.actual_fen <> 0
    and c.claim_id = m.source_id
"""
"""Claims of campaigns keep no category: their movement does not say which."""

WITHOUT_ZEROS = """
update taken_invoices t set invoice_no = ltrim(invoice_no, '0')
where invoice_no like '0%' and ltrim(invoice_no, '0') <> ''
    and not exists (select from taken_invoices o where o.invoice_no = ltrim(t.invoice_no, '0'))
    and not exists (select from taken_invoices o where ltrim(o.invoice_no, '0') = ltrim(t.invoice_no, '0')
        and o.invoice_no > t.invoice_no and o.invoice_no like '0%')
"""


def upgrade() -> None:
    op.drop_constraint(op.f("ck_budgets_amounts"), "budgets", type_="check")
    op.create_check_constraint(op.f("ck_budgets_amounts"), "budgets", "amount_fen >= 0 and reserved_fen >= 0")
    op.add_column("budget_movements", sa.Column("category", sa.Text(), nullable=True))
    op.add_column("budget_movements", sa.Column("booked_on", sa.Date(), nullable=True))
    op.execute("alter table budget_movements disable trigger append_only")
    op.execute(OF_CLAIMS)
    op.execute("alter table budget_movements enable trigger append_only")
    for name, column in (("booked", "booked_on"), ("source", "source_id")):
        op.create_index(
            f"budget_movements_{name}",
            "budget_movements",
            [column],
            postgresql_where=sa.text("booked_on is not null"),
        )
    for name in ("department", "campaign"):
        op.add_column("vouchers", sa.Column(name, sa.Text(), nullable=False, server_default=""))
    op.create_table(
        "budget_overrun_decisions",
        sa.Column("source_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("source_kind", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("approved", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("subject_hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("source_id", "role", name=op.f("pk_budget_overrun_decisions")),
        sa.UniqueConstraint("source_id", "person", name=op.f("uq_budget_overrun_decisions_source_id_person")),
    )
    op.execute(WITHOUT_ZEROS)
    op.alter_column("taken_invoices", "claim_id", new_column_name="document_id")


def downgrade() -> None:
    op.alter_column("taken_invoices", "document_id", new_column_name="claim_id")
    op.drop_table("budget_overrun_decisions")
    op.drop_column("vouchers", "campaign")
    op.drop_column("vouchers", "department")
    for name in ("source", "booked"):
        op.drop_index(f"budget_movements_{name}", table_name="budget_movements")
    op.drop_column("budget_movements", "booked_on")
    op.drop_column("budget_movements", "category")
    op.drop_constraint(op.f("ck_budgets_amounts"), "budgets", type_="check")
    op.create_check_constraint(
        op.f("ck_budgets_amounts"),
        "budgets",
        "amount_fen >= 0 and reserved_fen >= 0 and actual_fen >= 0",
    )
