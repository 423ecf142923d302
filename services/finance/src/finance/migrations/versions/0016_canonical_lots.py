"""Finance: lots are compared by their canonical spelling, so that no other way to type one passes a stop.

What was written stays beside it. Stops and stock, whose keys it becomes, keep no other spelling, so a downgrade
leaves them canonical; rows that were one lot in two spellings are one row from now on.
"""

import sqlalchemy as sa
from alembic import op

from shared.lots import canonical

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

WRITTEN = ("sale_lines", "samples")
# what is kept of the rows that become one
ONE_STOP = """
with gone as (
    delete from stopped_lots s using spellings p where p.lot = s.lot returning s.*, p.canonical
)
insert into stopped_lots as s (stop_sale_id, product_id, lot, ordered_at, lifted_at)
select stop_sale_id, product_id, canonical, min(ordered_at), min(lifted_at) from gone group by 1, 2, 3
on conflict (stop_sale_id, product_id, lot) do update
set ordered_at = least(s.ordered_at, excluded.ordered_at), lifted_at = least(s.lifted_at, excluded.lifted_at)
"""
ONE_STOCK = """
with gone as (
    delete from lot_stock s using spellings p where p.lot = s.lot returning s.*, p.canonical
)
insert into lot_stock as s (branch_id, product_id, lot, quantity, value_fen)
select branch_id, product_id, canonical, sum(quantity), sum(value_fen) from gone group by 1, 2, 3
on conflict (branch_id, product_id, lot) do update
set quantity = s.quantity + excluded.quantity, value_fen = s.value_fen + excluded.value_fen
"""


def upgrade() -> None:
    _spellings()
    for table in WRITTEN:
        op.add_column(table, sa.Column("lot_key", sa.Text(), nullable=True))
        _unguarded(
            table,
            f"update {table} set lot_key = lot",
            f"update {table} t set lot_key = p.canonical from spellings p where p.lot = t.lot",
        )
        op.alter_column(table, "lot_key", nullable=False)
    op.drop_index("sale_lines_lot", table_name="sale_lines")
    op.create_index("sale_lines_lot", "sale_lines", ["product_id", "lot_key"], unique=False)
    op.execute(ONE_STOP)
    op.execute(ONE_STOCK)
    _unguarded(
        "stock_moves", "update stock_moves t set lot = p.canonical from spellings p where p.lot = t.lot"
    )
    op.execute("drop table spellings")


def _spellings() -> None:
    """Every spelling that is not canonical, with the one that is."""
    op.execute("create temporary table spellings (lot text primary key, canonical text not null)")
    tables = ("sale_lines", "samples", "stopped_lots", "lot_stock", "stock_moves")
    written = " union ".join(f"select lot from {table}" for table in tables)
    rows = [
        {"lot": lot, "canonical": canonical(lot)}
        for (lot,) in op.get_bind().execute(sa.text(written))
        if canonical(lot) != lot
    ]
    if rows:
        op.get_bind().execute(sa.text("insert into spellings values (:lot, :canonical)"), rows)


def _unguarded(table: str, *statements: str) -> None:
    """Change rows that nobody may change while the system runs; what was written in them stays."""
    op.execute(f"alter table {table} disable trigger user")
    for statement in statements:
        op.execute(statement)
    op.execute(f"alter table {table} enable trigger user")


def downgrade() -> None:
    op.drop_index("sale_lines_lot", table_name="sale_lines")
    op.create_index("sale_lines_lot", "sale_lines", ["product_id", "lot"], unique=False)
    for table in WRITTEN:
        op.drop_column(table, "lot_key")
