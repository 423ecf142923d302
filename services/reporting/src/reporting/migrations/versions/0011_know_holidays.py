"""Notices of holidays, the decisions on them, and the holidays that those in force announce."""

import sqlalchemy as sa
from alembic import op

from shared import holidays_migration

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    holidays_migration.upgrade()
    name = "holiday_notices"
    op.create_table(
        name,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("announced_on", sa.Date(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=True),
        sa.Column("rest_days", sa.ARRAY(sa.Date()), nullable=False),
        sa.Column("workdays", sa.ARRAY(sa.Date()), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.Column("entered_by", sa.Text(), nullable=False),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_reason", sa.Text(), nullable=True),
        sa.CheckConstraint("state in ('pending', 'approved', 'rejected')", name=op.f(f"ck_{name}_state")),
        sa.CheckConstraint("(state = 'approved') = (number is not null)", name=op.f(f"ck_{name}_numbered")),
        sa.CheckConstraint("decided_by <> entered_by", name=op.f(f"ck_{name}_two_persons")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}")),
        sa.UniqueConstraint("number", name=op.f(f"uq_{name}_number")),
    )
    op.create_index(
        "holiday_notices_pending",
        name,
        ["reference"],
        unique=True,
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.create_table(
        "holiday_notice_decisions",
        sa.Column("holiday_notice_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("approved", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("subject_hash", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["holiday_notice_id"],
            ["holiday_notices.id"],
            name=op.f("fk_holiday_notice_decisions_holiday_notice_id"),
        ),
        sa.PrimaryKeyConstraint("holiday_notice_id", "role", name=op.f("pk_holiday_notice_decisions")),
    )


def downgrade() -> None:
    op.drop_table("holiday_notice_decisions")
    op.drop_table("holiday_notices")
    holidays_migration.downgrade()
