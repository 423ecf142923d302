"""What finds a product: its names, their pinyin and its codes, with their grams under an index."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from shared.search import words_of

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None

BATCH_ROWS_MAX = 2_000
READ = sa.text("""
select product_id, version, effective_from, generic_name, trade_name, approval_number, gtins, trace_prefixes
from product_versions where (product_id, version) > (:product_id, :version)
order by product_id, version limit :rows
""")
FILL = sa.text("""
insert into product_words (product_id, version, effective_from, words, grams)
values (:product_id, :version, :effective_from, :words, :grams)
""")


def upgrade() -> None:
    op.create_table(
        "product_words",
        sa.Column("product_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("grams", sa.ARRAY(sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("product_id", "version", name=op.f("pk_product_words")),
    )
    _fill()
    op.create_index(
        "product_words_grams",
        "product_words",
        ["grams"],
        postgresql_using="gin",
        postgresql_with={"gin_pending_list_limit": 1024},
    )


def _fill() -> None:
    """What is there already, a batch at a time; a version that is found as the one before it has no row."""
    conn = op.get_bind()
    product_id, version, before = "", 0, ""
    while True:
        keys = {"product_id": product_id, "version": version, "rows": BATCH_ROWS_MAX}
        found = conn.execute(READ, keys).all()
        if not found:
            return
        rows = []
        for each in found:
            words, grams = _found_by(each)
            if (each.product_id, words) != (product_id, before):
                rows.append(
                    {
                        "product_id": each.product_id,
                        "version": each.version,
                        "effective_from": each.effective_from,
                        "words": words,
                        "grams": grams,
                    }
                )
            product_id, version, before = each.product_id, each.version, words
        if rows:
            conn.execute(FILL, rows)


def _found_by(row: Any) -> tuple[str, list[str]]:
    names = [each for each in (row.generic_name, row.trade_name) if each]
    codes = [
        row.product_id,
        *([row.approval_number] if row.approval_number else []),
        *row.gtins,
        *(each.lstrip("0") for each in row.gtins),
        *row.trace_prefixes,
    ]
    return words_of(names, codes)


def downgrade() -> None:
    op.drop_table("product_words")
