"""Who makes a month has every connection read the partitions anew."""

from alembic import op

from shared.partitions import tell_sql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


PARENTS = (
    "fact_sales",
    "fact_sale_lines",
    "fact_sale_tenders",
    "fact_refunds",
    "fact_refund_lines",
    "fact_returns",
    "fact_tickets",
    "fact_surveys",
    "fact_feedback",
    "fact_statements",
    "fact_customers",
    "fact_points",
    "fact_other",
)


def upgrade() -> None:
    op.execute(tell_sql(PARENTS, schema="facts"))


def downgrade() -> None:
    op.execute("drop function tell_of_months()")
