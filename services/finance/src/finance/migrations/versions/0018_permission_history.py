"""Finance: every word of customers on whom we may sell to, not the last alone."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.create_table(
        "trade_permission_versions",
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("from_day", sa.Date(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("allowed", sa.Boolean(), nullable=False),
        sa.Column("categories", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("valid_until", sa.Date()),
        sa.PrimaryKeyConstraint("customer_id", "version", name=op.f("pk_trade_permission_versions")),
    )
    # The day of what was heard so far is not known any more. The first word holds for the days before it, too.
    op.execute(
        "insert into trade_permission_versions (customer_id, version, from_day, kind, allowed, categories, valid_until)"
        " select customer_id, version, current_date, kind, allowed, categories, valid_until from trade_permissions"
    )


def downgrade() -> None:
    op.drop_table("trade_permission_versions")
