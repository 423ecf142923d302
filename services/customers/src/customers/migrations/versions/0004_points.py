"""Customers: points redeemed and expired."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
# What the rule in force says of every sale so far: to the end of the year after the one it was earned in.
EXPIRE_WHAT_WAS_EARNED = """
    update point_sales head set expires_on = lot.expires_on, look_on = lot.expires_on + 1
    from (select sale_id, make_date(extract(year from min(day))::int + 1, 12, 31) as expires_on
        from point_earnings group by sale_id) as lot
    where lot.sale_id = head.sale_id
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.add_column("point_sales", sa.Column("expires_on", sa.Date()))
    op.add_column("point_sales", sa.Column("look_on", sa.Date()))
    op.execute(EXPIRE_WHAT_WAS_EARNED)
    op.create_index(
        "point_sales_look", "point_sales", ["look_on"], postgresql_where=sa.text("look_on is not null")
    )
    op.create_table(
        "point_accounts",
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("customer_id", name=op.f("pk_point_accounts")),
    )
    _redemptions()
    _what_comes_back()
    _expiries()


def _redemptions() -> None:
    op.create_table(
        "point_redemptions",
        sa.Column("redemption_id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("branch_id", sa.Text(), nullable=False),
        sa.Column("receipt_number", sa.Text(), nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("value_fen", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("redeemed_on", sa.Date(), nullable=False),
        sa.Column("redeemed_at", INSTANT, nullable=False),
        sa.Column("redeemed_by", sa.Text(), nullable=False),
        sa.Column("restore_at", INSTANT, nullable=False),
        sa.Column("restored_on", sa.Date()),
        sa.Column("restored_at", INSTANT),
        sa.Column("restored_cause", sa.Text()),
        sa.Column("sale_id", sa.Text()),
        sa.Column("used_on", sa.Date()),
        sa.CheckConstraint("state in ('open', 'used', 'restored')", name=op.f("ck_point_redemptions_state")),
        sa.CheckConstraint("points > 0 and value_fen > 0", name=op.f("ck_point_redemptions_points")),
        sa.CheckConstraint(
            "(sale_id is not null) = (state = 'used')", name=op.f("ck_point_redemptions_used")
        ),
        sa.CheckConstraint(
            "state <> 'restored' or restored_at is not null", name=op.f("ck_point_redemptions_restored")
        ),
        sa.PrimaryKeyConstraint("redemption_id", name=op.f("pk_point_redemptions")),
    )
    is_open = sa.text("state = 'open'")
    receipt = ["branch_id", "receipt_number"]
    op.create_index(
        "point_redemptions_open", "point_redemptions", receipt, unique=True, postgresql_where=is_open
    )
    op.create_index("point_redemptions_receipt", "point_redemptions", receipt)
    op.create_index("point_redemptions_customer", "point_redemptions", ["customer_id"])
    op.create_index("point_redemptions_due", "point_redemptions", ["restore_at"], postgresql_where=is_open)
    op.create_table(
        "point_redemption_lots",
        sa.Column("redemption_id", sa.Uuid(), nullable=False),
        sa.Column("no", sa.Integer(), nullable=False),
        sa.Column("sale_id", sa.Text(), nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("given_back", sa.BigInteger(), server_default="0", nullable=False),
        sa.CheckConstraint(
            "points > 0 and given_back between 0 and points", name=op.f("ck_point_redemption_lots_points")
        ),
        sa.PrimaryKeyConstraint("redemption_id", "no", name=op.f("pk_point_redemption_lots")),
    )
    op.create_index("point_redemption_lots_sale", "point_redemption_lots", ["sale_id"])


def _what_comes_back() -> None:
    op.create_table(
        "point_restorations",
        sa.Column("refund_id", sa.Text(), nullable=False),
        sa.Column("redemption_id", sa.Uuid(), nullable=False),
        sa.Column("return_id", sa.Text(), nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("source_seq", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("points >= 0", name=op.f("ck_point_restorations_points")),
        sa.PrimaryKeyConstraint("refund_id", "redemption_id", name=op.f("pk_point_restorations")),
    )
    op.create_index("point_restorations_redemption", "point_restorations", ["redemption_id"])


def _expiries() -> None:
    op.create_table(
        "point_expiries",
        sa.Column("expiry_id", sa.Uuid(), nullable=False),
        sa.Column("sale_id", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("expired_on", sa.Date(), nullable=False),
        sa.CheckConstraint("points > 0", name=op.f("ck_point_expiries_points")),
        sa.PrimaryKeyConstraint("expiry_id", "sale_id", name=op.f("pk_point_expiries")),
    )
    op.create_index("point_expiries_sale", "point_expiries", ["sale_id"])
    op.create_index("point_expiries_customer", "point_expiries", ["customer_id"])
    op.create_table(
        "point_checks",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_point_checks")),
    )


def downgrade() -> None:
    for table in (
        "point_checks",
        "point_expiries",
        "point_restorations",
        "point_redemption_lots",
        "point_redemptions",
        "point_accounts",
    ):
        op.drop_table(table)
    op.drop_index("point_sales_look", "point_sales")
    op.drop_column("point_sales", "look_on")
    op.drop_column("point_sales", "expires_on")
