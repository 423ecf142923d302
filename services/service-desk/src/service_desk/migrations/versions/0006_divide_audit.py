"""The audit and the log of rows divided by month, so that old months can be archived."""

from shared import chain_months_migration

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    chain_months_migration.upgrade()


def downgrade() -> None:
    chain_months_migration.downgrade()
