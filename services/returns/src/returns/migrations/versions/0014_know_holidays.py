"""Holidays as confirmed notices announce them, and by which of them a deadline was computed."""

import sqlalchemy as sa
from alembic import op

from shared import holidays_migration

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    holidays_migration.upgrade()
    op.alter_column("return_pickups", "due_at", nullable=True)
    op.add_column(
        "return_pickups", sa.Column("calendar_no", sa.Integer(), server_default="0", nullable=False)
    )


def downgrade() -> None:
    op.drop_column("return_pickups", "calendar_no")
    op.alter_column("return_pickups", "due_at", nullable=False)
    holidays_migration.downgrade()
