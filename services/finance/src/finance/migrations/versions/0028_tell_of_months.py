"""Who makes a month has every connection read the partitions anew."""

from alembic import op

from shared.partitions import tell_sql

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(tell_sql(("sales", "sale_lines", "tenders", "journal_entries", "journal_lines")))


def downgrade() -> None:
    op.execute("drop function tell_of_months()")
