"""A refund says whether goods were returned or a receipt was voided; who approved it is kept as decisions are."""

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("refunds", sa.Column("kind", sa.Text(), nullable=False, server_default="return"))
    op.create_check_constraint(op.f("ck_refunds_kind"), "refunds", "kind in ('return', 'void')")
    op.create_table(
        "refund_decisions",
        sa.Column("refund_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("approved", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("subject_hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("refund_id", "version", name=op.f("pk_refund_decisions")),
    )
    op.execute(
        "insert into refund_decisions (refund_id, version, role, person, approved, at, subject_hash)"
        " select r.refund_id, s.version - 1, s.detail ->> 'role', r.approved_by, true, r.approved_at, r.approved_hash"
        " from refunds r cross join lateral (select version, detail from refund_steps"
        "  where refund_id = r.refund_id and step = 'approved' order by version desc limit 1) s"
        " where r.approved_by is not null"
    )


def downgrade() -> None:
    op.drop_table("refund_decisions")
    op.drop_column("refunds", "kind")
