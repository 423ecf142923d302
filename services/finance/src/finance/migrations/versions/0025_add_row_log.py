"""What every row was when it was written: the log that verification compares the tables with."""

from shared import row_log_migration

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    row_log_migration.upgrade()


def downgrade() -> None:
    row_log_migration.downgrade()
