"""Count look-ups of people's data, of actors and addresses."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "rations",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("used_until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_rations"),
        prefixes=["UNLOGGED"],
    )


def downgrade() -> None:
    op.drop_table("rations")
