"""Drawings know the events of customers that drew and settled them, so that what a lost event did can be made good.

Those of before have none: nothing finds them when their event is lost.
"""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    for event in ("cause", "settled"):
        op.add_column("promotion_drawings", sa.Column(f"{event}_event_id", sa.Uuid()))
        op.create_index(f"promotion_drawings_{event}", "promotion_drawings", [f"{event}_event_id"])


def downgrade() -> None:
    for event in ("settled", "cause"):
        op.drop_index(f"promotion_drawings_{event}", "promotion_drawings")
        op.drop_column("promotion_drawings", f"{event}_event_id")
