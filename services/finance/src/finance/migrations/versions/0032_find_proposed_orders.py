"""Orders that propose something are found without reading all orders."""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.create_index(
        "sales_orders_proposed",
        "sales_orders",
        ["order_id"],
        postgresql_where=sa.text("proposal is not null"),
    )


def downgrade() -> None:
    op.drop_index("sales_orders_proposed", "sales_orders")
