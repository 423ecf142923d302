"""Returns: a stop of sale is found by a lot however it is typed; `lots` stay as they were written."""

import sqlalchemy as sa
from alembic import op

from shared.lots import canonical

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("stop_sales", sa.Column("lot_keys", sa.ARRAY(sa.Text()), nullable=True))
    connection = op.get_bind()
    for stop_id, lots in connection.execute(sa.text("select id, lots from stop_sales")).all():
        connection.execute(
            sa.text("update stop_sales set lot_keys = :keys where id = :id"),
            {"id": stop_id, "keys": [canonical(lot) for lot in lots]},
        )
    op.alter_column("stop_sales", "lot_keys", nullable=False)


def downgrade() -> None:
    op.drop_column("stop_sales", "lot_keys")
