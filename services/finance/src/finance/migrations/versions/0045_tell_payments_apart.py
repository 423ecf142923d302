"""Several payments of one tender on a receipt, what their channels call them, and which receipt each paid."""

import sqlalchemy as sa
from alembic import op

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("tenders", sa.Column("no", sa.SmallInteger(), server_default="1", nullable=False))
    op.add_column("tenders", sa.Column("channel_transaction_id", sa.Text()))
    op.drop_constraint("pk_tenders", "tenders")
    op.create_primary_key("pk_tenders", "tenders", ["sale_id", "tender", "no", "booked_on"])
    op.create_table(
        "channel_transactions",
        sa.Column("branch_id", sa.Text(), nullable=False),
        sa.Column("tender", sa.Text(), nullable=False),
        sa.Column("channel_transaction_id", sa.Text(), nullable=False),
        sa.Column("sale_id", sa.Uuid(), nullable=False),
        sa.Column("booked_on", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint(
            "tender", "channel_transaction_id", "branch_id", name=op.f("pk_channel_transactions")
        ),
    )
    op.add_column(
        "bank_settled", sa.Column("channel_transaction_id", sa.Text(), server_default="", nullable=False)
    )
    op.drop_constraint("pk_bank_settled", "bank_settled")
    op.create_primary_key(
        "pk_bank_settled",
        "bank_settled",
        ["match_id", "clearing", "branch_id", "day", "channel_transaction_id"],
    )


def downgrade() -> None:
    op.drop_constraint("pk_bank_settled", "bank_settled")
    op.drop_column("bank_settled", "channel_transaction_id")
    op.create_primary_key("pk_bank_settled", "bank_settled", ["match_id", "clearing", "branch_id", "day"])
    op.drop_table("channel_transactions")
    op.drop_constraint("pk_tenders", "tenders")
    op.drop_column("tenders", "channel_transaction_id")
    op.drop_column("tenders", "no")
    op.create_primary_key("pk_tenders", "tenders", ["sale_id", "tender", "booked_on"])
