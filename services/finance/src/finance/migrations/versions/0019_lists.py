"""Finance: indexes of the lists by which sales, payments, write-offs, receipts of goods and shipments are found."""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.create_index("sales_branch_day", "sales", ["branch_id", "business_date", "sale_id"])
    op.create_index("payments_day", "payments", ["received_on", "payment_id"])
    op.create_index("write_offs_state", "write_offs", ["state", "write_off_id"])
    op.create_index("goods_receipts_day", "goods_receipts", ["received_on", "goods_receipt_id"])
    op.drop_index("shipments_sent", "shipments")
    op.create_index("shipments_sent", "shipments", ["sent_on", "shipment_id"])


def downgrade() -> None:
    op.drop_index("shipments_sent", "shipments")
    op.create_index("shipments_sent", "shipments", ["sent_on"])
    op.drop_index("goods_receipts_day", "goods_receipts")
    op.drop_index("write_offs_state", "write_offs")
    op.drop_index("payments_day", "payments")
    op.drop_index("sales_branch_day", "sales")
