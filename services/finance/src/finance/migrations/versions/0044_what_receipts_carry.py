"""What a receipt may carry: cashier, shift, GTIN, trace codes, prescription. All of it is empty on what is there."""

import sqlalchemy as sa
from alembic import op

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sales", sa.Column("cashier_id", sa.Text()))
    op.add_column("sales", sa.Column("shift_id", sa.Text()))
    op.add_column("sale_lines", sa.Column("gtin", sa.Text()))
    op.add_column("sale_lines", sa.Column("trace_codes", sa.ARRAY(sa.Text())))
    op.add_column("sale_lines", sa.Column("prescription_number", sa.Text()))
    op.add_column("sale_lines", sa.Column("prescription_reviewed_by", sa.Text()))
    op.add_column("sale_lines", sa.Column("prescription_reviewed_at", sa.DateTime(timezone=True)))
    op.create_index(
        "sale_lines_trace_codes",
        "sale_lines",
        ["trace_codes"],
        postgresql_using="gin",
        postgresql_where=sa.text("trace_codes is not null"),
    )


def downgrade() -> None:
    op.drop_index("sale_lines_trace_codes", "sale_lines")
    for column in (
        *(
            "prescription_reviewed_at",
            "prescription_reviewed_by",
            "prescription_number",
            "trace_codes",
            "gtin",
        ),
    ):
        op.drop_column("sale_lines", column)
    op.drop_column("sales", "shift_id")
    op.drop_column("sales", "cashier_id")
