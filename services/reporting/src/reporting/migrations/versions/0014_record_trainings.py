"""Records of trainings."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    name = "training_records"
    op.create_table(
        name,
        *(sa.Column(each, sa.Text(), nullable=False) for each in ("training_record_id", "staff_id", "topic")),
        sa.Column("trained_on", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("result in ('passed', 'failed')", name=op.f(f"ck_{name}_result")),
        sa.CheckConstraint("valid_until >= trained_on", name=op.f(f"ck_{name}_days")),
        sa.PrimaryKeyConstraint("training_record_id", name=op.f(f"pk_{name}")),
    )
    op.create_index("training_records_staff", name, ["staff_id", "topic"])


def downgrade() -> None:
    op.drop_table("training_records")
