"""Who makes a month has every connection read the partitions anew."""

from alembic import op

from shared.partitions import tell_sql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(tell_sql(("sold_lines",)))


def downgrade() -> None:
    op.execute("drop function tell_of_months()")
