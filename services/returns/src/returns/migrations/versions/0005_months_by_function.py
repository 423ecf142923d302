"""The partition of a month of sold lines is made by the shared functions."""

from alembic import op

from shared.partitions import functions_sql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for statement in functions_sql(("sold_lines",)):
        op.execute(statement)


def downgrade() -> None:
    op.execute("drop function see_month(date)")
    op.execute("drop function ensure_month(date)")
