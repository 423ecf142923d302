"""Decisions on prices lie in a table of decisions, as all others do."""

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None

DECIDED = """
insert into price_decisions (rule_id, role, person, approved, reason, at, subject_hash)
select {key}, 'finance_head', decided_by, state = 'approved', decided_reason, decided_at, subject_hash
from {table} where state <> 'proposed'
"""
"""Only who is finance head decided."""
RULES = {"price_rules": "rule_id", "price_grades": "assignment_id", "sales_strategies": "strategy_id"}


def upgrade() -> None:
    op.create_table(
        "price_decisions",
        sa.Column("rule_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("approved", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("subject_hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("rule_id", "role", name=op.f("pk_price_decisions")),
    )
    for table, key in RULES.items():
        op.execute(DECIDED.format(table=table, key=key))


def downgrade() -> None:
    op.drop_table("price_decisions")
