"""Versions of staff, appointments to posts, and decisions on them."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    name = "staff_versions"
    op.create_table(
        name,
        sa.Column("staff_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("manager_id", sa.Text(), nullable=True),
        sa.Column("employed_from", sa.Date(), nullable=False),
        sa.Column("employed_until", sa.Date(), nullable=True),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("version > 0", name=op.f(f"ck_{name}_version")),
        sa.CheckConstraint("employed_until >= employed_from", name=op.f(f"ck_{name}_days")),
        sa.CheckConstraint("manager_id <> staff_id", name=op.f(f"ck_{name}_manager")),
        sa.PrimaryKeyConstraint("staff_id", "version", name=op.f(f"pk_{name}")),
    )
    name = "appointments"
    op.create_table(
        name,
        *(sa.Column(each, sa.Text(), nullable=False) for each in ("appointment_id", "staff_id", "post_id")),
        sa.Column("branch_id", sa.Text(), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("told_by", sa.Text(), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_reason", sa.Text(), nullable=True),
        sa.CheckConstraint("state in ('proposed', 'approved', 'rejected')", name=op.f(f"ck_{name}_state")),
        sa.CheckConstraint("valid_until >= valid_from", name=op.f(f"ck_{name}_days")),
        sa.CheckConstraint(
            "decided_by <> told_by and decided_by <> staff_id", name=op.f(f"ck_{name}_two_persons")
        ),
        sa.PrimaryKeyConstraint("appointment_id", name=op.f(f"pk_{name}")),
    )
    op.create_index("appointments_staff", name, ["staff_id"])
    op.create_index("appointments_branch", name, ["branch_id", "appointment_id"])
    _decisions()


def _decisions() -> None:
    name = "appointment_decisions"
    op.create_table(
        name,
        *(sa.Column(each, sa.Text(), nullable=False) for each in ("appointment_id", "role", "person")),
        sa.Column("approved", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("subject_hash", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["appointment_id"],
            ["appointments.appointment_id"],
            name=op.f(f"fk_{name}_appointment_id"),
        ),
        sa.PrimaryKeyConstraint("appointment_id", "role", name=op.f(f"pk_{name}")),
    )


def downgrade() -> None:
    for name in ("appointment_decisions", "appointments", "staff_versions"):
        op.drop_table(name)
