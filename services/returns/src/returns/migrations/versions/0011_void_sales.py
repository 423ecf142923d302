"""Receipts that were voided are known, so that nothing of them is returned."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "voided_sales",
        sa.Column("sale_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("sale_id", name=op.f("pk_voided_sales")),
    )


def downgrade() -> None:
    op.drop_table("voided_sales")
