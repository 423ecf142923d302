"""One lot of a product has one expiry: what was first told of each holds, what contradicts it is told to quality assurance."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

INSTANT = sa.TIMESTAMP(timezone=True)
FIRST_TOLD = """
insert into lot_expiries (product_id, lot_key, lot, expiry, source, branch_id, reference, told_by, told_at)
select distinct on (product_id, lot_key) product_id, lot_key, lot, expiry, source, branch_id, reference, told_by, told_at
from (
    select l.product_id, l.lot_key, l.lot, l.expiry, 'sale' as source, l.branch_id, s.receipt_number as reference,
        coalesce(s.posted_by, 'system:finance') as told_by, coalesce(s.posted_at, l.booked_on) as told_at,
        l.sale_id as id, l.no
    from sale_lines l left join sales s on s.sale_id = l.sale_id and s.booked_on = l.booked_on
    union all
    select product_id, lot_key, lot, expiry, 'sample', branch_id, number, requested_by, requested_at, sample_id, 1
    from samples where expiry is not null
) told
order by product_id, lot_key, told_at, id, no
"""
CONTRADICTED = """
insert into lot_contradictions (contradiction_id, product_id, lot_key, lot, branch_id, told_expiry, held_expiry, source,
    reference, times, first_told_at, last_told_at, last_told_by)
select gen_random_uuid(), l.product_id, l.lot_key, min(l.lot), l.branch_id, l.expiry, e.expiry, 'sale',
    max(s.receipt_number), count(*), min(coalesce(s.posted_at, l.booked_on)), max(coalesce(s.posted_at, l.booked_on)),
    coalesce(max(s.posted_by), 'system:finance')
from sale_lines l
join lot_expiries e on e.product_id = l.product_id and e.lot_key = l.lot_key and e.expiry <> l.expiry
left join sales s on s.sale_id = l.sale_id and s.booked_on = l.booked_on
group by l.product_id, l.lot_key, l.branch_id, l.expiry, e.expiry
"""


def upgrade() -> None:
    op.create_table(
        "lot_expiries",
        sa.Column("product_id", sa.Text(), nullable=False),
        sa.Column("lot_key", sa.Text(), nullable=False),
        sa.Column("lot", sa.Text(), nullable=False),
        sa.Column("expiry", sa.Date(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("branch_id", sa.Text()),
        sa.Column("reference", sa.Text()),
        sa.Column("told_by", sa.Text(), nullable=False),
        sa.Column("told_at", INSTANT, nullable=False),
        sa.CheckConstraint(
            "source in ('sale', 'shipment', 'order', 'sample', 'goods_receipt', 'decision')",
            name=op.f("ck_lot_expiries_source"),
        ),
        sa.PrimaryKeyConstraint("product_id", "lot_key", name=op.f("pk_lot_expiries")),
    )
    _contradictions()
    op.create_table(
        "lot_expiry_decisions",
        sa.Column("decision_id", sa.Uuid(), nullable=False),
        sa.Column("product_id", sa.Text(), nullable=False),
        sa.Column("lot_key", sa.Text(), nullable=False),
        sa.Column("lot", sa.Text(), nullable=False),
        sa.Column("before", sa.Date()),
        sa.Column("expiry", sa.Date(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("contradictions", sa.Integer(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("decided_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("decision_id", name=op.f("pk_lot_expiry_decisions")),
    )
    op.create_index(
        "lot_expiry_decisions_lot", "lot_expiry_decisions", ["product_id", "lot_key", "decision_id"]
    )
    op.add_column("goods_receipt_lines", sa.Column("expiry", sa.Date()))
    op.execute(FIRST_TOLD)
    op.execute(CONTRADICTED)


def _contradictions() -> None:
    op.create_table(
        "lot_contradictions",
        sa.Column("contradiction_id", sa.Uuid(), nullable=False),
        sa.Column("product_id", sa.Text(), nullable=False),
        sa.Column("lot_key", sa.Text(), nullable=False),
        sa.Column("lot", sa.Text(), nullable=False),
        sa.Column("branch_id", sa.Text(), nullable=False),
        sa.Column("told_expiry", sa.Date(), nullable=False),
        sa.Column("held_expiry", sa.Date(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text()),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("first_told_at", INSTANT, nullable=False),
        sa.Column("last_told_at", INSTANT, nullable=False),
        sa.Column("last_told_by", sa.Text(), nullable=False),
        sa.Column("decision_id", sa.Uuid()),
        sa.CheckConstraint("times > 0", name=op.f("ck_lot_contradictions_times")),
        sa.PrimaryKeyConstraint("contradiction_id", name=op.f("pk_lot_contradictions")),
    )
    op.create_index(
        "lot_contradictions_open",
        "lot_contradictions",
        ["branch_id", "product_id", "lot_key", "told_expiry"],
        unique=True,
        postgresql_where=sa.text("decision_id is null"),
    )
    op.create_index(
        "lot_contradictions_lot", "lot_contradictions", ["product_id", "lot_key", "contradiction_id"]
    )


def downgrade() -> None:
    op.drop_column("goods_receipt_lines", "expiry")
    op.drop_table("lot_expiry_decisions")
    op.drop_table("lot_contradictions")
    op.drop_table("lot_expiries")
