"""Returns: lots whose sale is stopped."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "stop_sales",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("product_id", sa.Text(), nullable=False),
        sa.Column("lots", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("evidence", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("ordered_by", sa.Text(), nullable=False),
        sa.Column("ordered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lifted_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state in ('ordered', 'lifted')", name=op.f("ck_stop_sales_state")),
        sa.CheckConstraint("(state = 'lifted') = (lifted_at is not null)", name=op.f("ck_stop_sales_lifted")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stop_sales")),
    )
    op.create_index("stop_sales_product", "stop_sales", ["product_id", "id"])
    op.create_table(
        "stop_sale_liftings",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("stop_sale_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("evidence", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("requested_by", sa.Text(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "state in ('pending', 'approved', 'rejected')", name=op.f("ck_stop_sale_liftings_state")
        ),
        sa.CheckConstraint("decided_by <> requested_by", name=op.f("ck_stop_sale_liftings_two_persons")),
        sa.ForeignKeyConstraint(
            ["stop_sale_id"], ["stop_sales.id"], name=op.f("fk_stop_sale_liftings_stop_sale_id_stop_sales")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stop_sale_liftings")),
    )
    op.create_index("stop_sale_liftings_stop", "stop_sale_liftings", ["stop_sale_id", "id"])
    op.create_index(
        "stop_sale_liftings_pending",
        "stop_sale_liftings",
        ["stop_sale_id"],
        unique=True,
        postgresql_where=sa.text("state = 'pending'"),
    )


def downgrade() -> None:
    op.drop_table("stop_sale_liftings")
    op.drop_table("stop_sales")
