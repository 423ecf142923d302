"""Others are told of open items, those of before in turn, and of budgets, which count how often they changed."""

import sqlalchemy as sa
from alembic import op

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.add_column(
        "receivable_items",
        sa.Column("is_opening_told", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.create_index(
        "receivable_items_untold",
        "receivable_items",
        ["booked_on"],
        postgresql_where=sa.text("not is_opening_told"),
    )
    op.add_column("budgets", sa.Column("version", sa.Integer(), nullable=False, server_default="1"))


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.drop_column("budgets", "version")
    op.drop_column("receivable_items", "is_opening_told")
