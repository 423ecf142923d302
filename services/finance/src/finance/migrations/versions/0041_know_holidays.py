"""Holidays as confirmed notices announce them."""

from shared import holidays_migration

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None


def upgrade() -> None:
    holidays_migration.upgrade()


def downgrade() -> None:
    holidays_migration.downgrade()
