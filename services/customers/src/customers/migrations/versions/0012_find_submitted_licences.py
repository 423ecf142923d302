"""Licences that wait to be verified are found without reading all licences."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.create_index("licences_submitted", "licences", ["id"], postgresql_where=sa.text("state = 'submitted'"))


def downgrade() -> None:
    op.drop_index("licences_submitted", "licences")
