"""The log of events divided by month, with what has become of months that were archived."""

from alembic import op

from shared.log_months import UNDIVIDE, divide_sql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for statement in divide_sql():
        op.execute(statement)


def downgrade() -> None:
    for statement in UNDIVIDE:
        op.execute(statement)
