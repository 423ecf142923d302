"""Finance: credit limits, exposure, lots whose sale is stopped."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "credit_limits",
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("limit_fen", sa.BigInteger(), nullable=False),
        sa.Column("overdue_tolerance_fen", sa.BigInteger(), nullable=False),
        sa.Column("on_hold", sa.Boolean(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("customer_id", name=op.f("pk_credit_limits")),
    )
    op.create_table(
        "exposures",
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("customer_id", name=op.f("pk_exposures")),
    )
    op.create_table(
        "credit_reservations",
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("fen", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("fen > 0", name=op.f("ck_credit_reservations_fen")),
        sa.PrimaryKeyConstraint("order_id", name=op.f("pk_credit_reservations")),
    )
    op.create_index("credit_reservations_customer", "credit_reservations", ["customer_id"])
    op.create_table(
        "stopped_lots",
        sa.Column("stop_sale_id", sa.Uuid(), nullable=False),
        sa.Column("product_id", sa.Text(), nullable=False),
        sa.Column("lot", sa.Text(), nullable=False),
        sa.Column("ordered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lifted_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("stop_sale_id", "product_id", "lot", name=op.f("pk_stopped_lots")),
    )
    op.create_index(
        "stopped_lots_now",
        "stopped_lots",
        ["product_id", "lot"],
        postgresql_where=sa.text("lifted_at is null"),
    )


def downgrade() -> None:
    for table in ("stopped_lots", "credit_reservations", "exposures", "credit_limits"):
        op.drop_table(table)
