"""Decisions on lifting a stop of sale lie in a table of decisions, as all others do.

Those taken before stay with their requests: on what they were taken is told by the audit alone.
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "stop_sale_lifting_decisions",
        sa.Column("lifting_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("approved", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("subject_hash", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["lifting_id"],
            ["stop_sale_liftings.id"],
            name=op.f("fk_stop_sale_lifting_decisions_lifting_id_stop_sale_liftings"),
        ),
        sa.PrimaryKeyConstraint("lifting_id", "role", name=op.f("pk_stop_sale_lifting_decisions")),
    )


def downgrade() -> None:
    op.drop_table("stop_sale_lifting_decisions")
