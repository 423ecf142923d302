"""What was asked for before it was heard of is remembered, so that it is refused only after a head from after that."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "awaited",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column(
            "asked_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("source", "what", name=op.f("pk_awaited")),
    )
    op.create_index("awaited_asked_at", "awaited", ["asked_at"])


def downgrade() -> None:
    op.drop_table("awaited")
