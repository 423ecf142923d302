"""Who has a GTIN or a prefix of trace codes now: a row per code, which names one product."""

import sqlalchemy as sa
from alembic import op

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None

FILL = """
insert into product_codes (kind, code, product_id)
select k.kind, k.code, v.product_id from product_versions v, lateral (
    select 'gtin', g from unnest(v.gtins) g union all select 'trace_prefix', t from unnest(v.trace_prefixes) t
) as k(kind, code)
where not exists (select from product_versions n where n.product_id = v.product_id and n.version > v.version)
"""


def upgrade() -> None:
    op.create_table(
        "product_codes",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("product_id", sa.Text(), nullable=False),
        sa.CheckConstraint("kind in ('gtin', 'trace_prefix')", name=op.f("ck_product_codes_kind")),
        sa.PrimaryKeyConstraint("kind", "code", name=op.f("pk_product_codes")),
    )
    op.create_index("product_codes_product", "product_codes", ["product_id"])
    op.execute(FILL)


def downgrade() -> None:
    op.drop_table("product_codes")
