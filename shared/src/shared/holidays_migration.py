"""The tables of shared.holidays, for the migration of each service that computes in working days."""

import sqlalchemy as sa
from alembic import op


def upgrade() -> None:
    """Make both tables."""
    op.create_table(
        "holiday_notices_known",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("year", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_holiday_notices_known")),
    )
    op.create_table(
        "holidays_known",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("is_workday", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("day", "number", name=op.f("pk_holidays_known")),
    )


def downgrade() -> None:
    """Remove both."""
    op.drop_table("holidays_known")
    op.drop_table("holiday_notices_known")
