"""Finance: the age of debts is read from indexes alone."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("receivable_items_due", table_name="receivable_items")
    op.create_index(
        "receivable_items_due",
        "receivable_items",
        ["due_on"],
        unique=False,
        postgresql_include=["customer_id", "branch_id", "booked_on", "open_fen"],
        postgresql_where=sa.text("open_fen > 0"),
    )
    op.create_index(
        "receivable_items_credit",
        "receivable_items",
        ["customer_id"],
        unique=False,
        postgresql_include=["branch_id", "booked_on", "open_fen"],
        postgresql_where=sa.text("open_fen < 0"),
    )


def downgrade() -> None:
    op.drop_index("receivable_items_credit", table_name="receivable_items")
    op.drop_index("receivable_items_due", table_name="receivable_items")
    op.create_index(
        "receivable_items_due",
        "receivable_items",
        ["due_on"],
        unique=False,
        postgresql_where=sa.text("open_fen > 0"),
    )
