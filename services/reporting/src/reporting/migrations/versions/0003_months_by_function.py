"""The partitions of a month of facts are made by the shared functions."""

from alembic import op

from shared.partitions import functions_sql

revision = "0003"
down_revision = "0002"
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
    for statement in functions_sql(PARENTS, schema="facts"):
        op.execute(statement)


def downgrade() -> None:
    op.execute("drop function see_month(date)")
    op.execute("drop function ensure_month(date)")
