"""Holidays as confirmed notices announce them, and by which of them a deadline was computed."""

import sqlalchemy as sa
from alembic import op

from shared import holidays_migration

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    holidays_migration.upgrade()
    op.add_column("clocks", sa.Column("calendar_no", sa.Integer(), server_default="0", nullable=False))


def downgrade() -> None:
    op.drop_column("clocks", "calendar_no")
    holidays_migration.downgrade()
