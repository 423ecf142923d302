"""Finance: points redeemed, restored and expired."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

# Their entries stay in the journal: without these tables contract liability would never tie again.
NOTHING_USED = """
do $$ begin
    if exists (select from points_uses) or exists (select from points_expired) then
        raise exception 'points were used or expired: the books cannot go back to a schema that does not know why';
    end if;
end $$
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.create_table(
        "points_expired",
        sa.Column("expiry_id", sa.Uuid(), nullable=False),
        sa.Column("sale_id", sa.Uuid(), nullable=False),
        sa.Column("branch_id", sa.Text(), nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("expired_on", sa.Date(), nullable=False),
        sa.CheckConstraint("points > 0", name=op.f("ck_points_expired_points")),
        sa.PrimaryKeyConstraint("expiry_id", "sale_id", name=op.f("pk_points_expired")),
    )
    op.create_index("points_expired_sale", "points_expired", ["sale_id"])
    op.create_table(
        "points_redemptions",
        sa.Column("redemption_id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("branch_id", sa.Text(), nullable=False),
        sa.Column("receipt_number", sa.Text(), nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("value_fen", sa.BigInteger(), nullable=False),
        sa.Column("redeemed_on", sa.Date(), nullable=False),
        sa.CheckConstraint("points > 0 and value_fen > 0", name=op.f("ck_points_redemptions_points")),
        sa.PrimaryKeyConstraint("redemption_id", name=op.f("pk_points_redemptions")),
    )
    op.create_table(
        "points_redemption_lots",
        sa.Column("redemption_id", sa.Uuid(), nullable=False),
        sa.Column("no", sa.Integer(), nullable=False),
        sa.Column("sale_id", sa.Uuid(), nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("given_back", sa.BigInteger(), server_default="0", nullable=False),
        sa.CheckConstraint(
            "points > 0 and given_back between 0 and points", name=op.f("ck_points_redemption_lots_points")
        ),
        sa.PrimaryKeyConstraint("redemption_id", "no", name=op.f("pk_points_redemption_lots")),
    )
    op.create_index("points_redemption_lots_sale", "points_redemption_lots", ["sale_id"])
    op.create_table(
        "points_restorations",
        sa.Column("redemption_id", sa.Uuid(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("restored_on", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("redemption_id", name=op.f("pk_points_restorations")),
    )
    op.create_table(
        "points_uses",
        sa.Column("redemption_id", sa.Uuid(), nullable=False),
        sa.Column("sale_id", sa.Uuid(), nullable=False),
        sa.Column("used_on", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("redemption_id", name=op.f("pk_points_uses")),
        sa.UniqueConstraint("sale_id", name=op.f("uq_points_uses_sale_id")),
    )
    op.create_table(
        "points_given_back",
        sa.Column("refund_id", sa.Uuid(), nullable=False),
        sa.Column("redemption_id", sa.Uuid(), nullable=False),
        sa.Column("fen", sa.BigInteger(), nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("fen > 0 and points >= 0", name=op.f("ck_points_given_back_fen")),
        sa.PrimaryKeyConstraint("refund_id", name=op.f("pk_points_given_back")),
    )
    op.create_index("points_given_back_redemption", "points_given_back", ["redemption_id"])


def downgrade() -> None:
    op.execute(NOTHING_USED)
    for table in (
        "points_given_back",
        "points_uses",
        "points_restorations",
        "points_redemption_lots",
        "points_redemptions",
        "points_expired",
    ):
        op.drop_table(table)
