"""What customers tells of points knows its event, so that what a lost event did can be made good.

Points that were taken back before this migration do not know theirs; the id that each row gets is nobody's. It tells
the row from others of its return and is published nowhere: what customers corrects bears the id of an event of
finance, and what finance corrects (points_corrections.lost_event_id) that of a lost event of customers, which such an
id never equals. So a second run, or a copy of the database migrated by itself, cannot tell one correction twice under
two ids. It follows that `log accept` makes good what was told since, and leaves what was told before to people.
"""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.add_column(
        "points_taken_back",
        sa.Column("event_id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
    )
    op.alter_column("points_taken_back", "event_id", server_default=None)
    op.drop_constraint("pk_points_taken_back", "points_taken_back")
    op.create_primary_key("pk_points_taken_back", "points_taken_back", ["sale_id", "return_id", "event_id"])
    op.create_index("points_taken_back_event", "points_taken_back", ["event_id"])
    for table in ("points_expired", "points_redemptions"):
        op.add_column(table, sa.Column("event_id", sa.Uuid()))
        op.create_index(f"{table}_event", table, ["event_id"])
    op.create_table(
        "points_corrections",
        sa.Column("lost_event_id", sa.Uuid(), nullable=False),
        sa.Column("sale_id", sa.Uuid(), nullable=False),
        sa.Column("branch_id", sa.Text(), nullable=False),
        sa.Column("return_id", sa.Text()),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("corrected_on", sa.Date(), nullable=False),
        sa.CheckConstraint("points <> 0", name=op.f("ck_points_corrections_points")),
        sa.PrimaryKeyConstraint("lost_event_id", "sale_id", name=op.f("pk_points_corrections")),
    )
    op.create_index("points_corrections_sale", "points_corrections", ["sale_id"])


def downgrade() -> None:
    op.drop_table("points_corrections")
    for table in ("points_redemptions", "points_expired"):
        op.drop_index(f"{table}_event", table)
        op.drop_column(table, "event_id")
    op.drop_index("points_taken_back_event", "points_taken_back")
    op.drop_constraint("pk_points_taken_back", "points_taken_back")
    op.create_primary_key("pk_points_taken_back", "points_taken_back", ["sale_id", "return_id"])
    op.drop_column("points_taken_back", "event_id")
