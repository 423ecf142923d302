"""Finance: output VAT of samples that are given away, and what a cost run posts to samples."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

OF_SAMPLES = {
    "tax_bp": sa.Integer,
    "vat_basis": sa.Text,
    "vat_base_fen": sa.BigInteger,
    "vat_fen": sa.BigInteger,
}
OF_COSTS = ("stock_moves", "cost_runs")


def upgrade() -> None:
    for name, kind in OF_SAMPLES.items():
        op.add_column("samples", sa.Column(name, kind(), nullable=True))
    op.create_check_constraint(
        op.f("ck_samples_vat"),
        "samples",
        "(vat_basis is null) = (vat_fen is null) and (vat_base_fen is null) = (vat_fen is null)",
    )
    op.create_check_constraint(op.f("ck_samples_vat_basis"), "samples", "vat_basis in ('price', 'cost')")
    for table in OF_COSTS:
        op.add_column(table, sa.Column("samples_fen", sa.BigInteger(), nullable=False, server_default="0"))


def downgrade() -> None:
    for table in OF_COSTS:
        op.drop_column(table, "samples_fen")
    op.drop_constraint(op.f("ck_samples_vat_basis"), "samples", type_="check")
    op.drop_constraint(op.f("ck_samples_vat"), "samples", type_="check")
    for name in OF_SAMPLES:
        op.drop_column("samples", name)
