"""Give the log an epoch and a running hash, and the inbox what it compares them with."""

from shared import log_migration

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    log_migration.upgrade()


def downgrade() -> None:
    log_migration.downgrade()
