"""Sales booked to a later day than their own are found by their own: visits count on the business day."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.create_index(
        "fact_sales_late",
        "fact_sales",
        ["business_date"],
        schema="facts",
        postgresql_where=sa.text("business_date < day"),
    )


def downgrade() -> None:
    op.drop_index("fact_sales_late", "fact_sales", schema="facts")
