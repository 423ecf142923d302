"""Points and offers know the events of finance that made them, so that what a lost event did can be made good."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
# An offer that finance refused in an event that its log lost is asked for again.
KEEP = """
drop trigger keep_written on offers;
create trigger keep_written before update on offers for each row
when (
    (old.offer_id, old.plan_id, old.branch_id, old.title, old.benefit, old.terms, old.first_day, old.last_day,
     old.cost_fen, old.proposed_by, old.proposed_at, old.subject_hash)
    <> (new.offer_id, new.plan_id, new.branch_id, new.title, new.benefit, new.terms, new.first_day, new.last_day,
        new.cost_fen, new.proposed_by, new.proposed_at, new.subject_hash)
    or old.state in ('rejected', 'withdrawn', 'ended') or (old.state = 'refused' and {again})
) execute function refuse_offer_change()
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.drop_constraint("pk_point_refunds", "point_refunds")
    op.drop_index("point_refunds_cause", "point_refunds")
    op.create_primary_key("pk_point_refunds", "point_refunds", ["cause_event_id", "sale_line_id"])
    op.create_index("point_refunds_refund", "point_refunds", ["refund_id"])
    op.add_column("point_restorations", sa.Column("cause_event_id", sa.Uuid()))
    op.execute(
        "update point_restorations r set cause_event_id = coalesce((select f.cause_event_id from point_refunds f"
        " where f.refund_id = r.refund_id limit 1), gen_random_uuid())"
    )
    op.alter_column("point_restorations", "cause_event_id", nullable=False)
    op.drop_constraint("pk_point_restorations", "point_restorations")
    op.create_primary_key("pk_point_restorations", "point_restorations", ["cause_event_id", "redemption_id"])
    op.create_index("point_restorations_refund", "point_restorations", ["refund_id"])
    op.add_column("point_redemptions", sa.Column("used_event_id", sa.Uuid()))
    op.create_index(
        "point_redemptions_use",
        "point_redemptions",
        ["used_event_id"],
        postgresql_where=sa.text("used_event_id is not null"),
    )
    _corrections()
    op.add_column("offers", sa.Column("answer_event_id", sa.Uuid()))
    op.create_index(
        "offers_answer",
        "offers",
        ["answer_event_id"],
        postgresql_where=sa.text("answer_event_id is not null"),
    )
    op.execute(KEEP.format(again="new.state <> 'asking'"))


def _corrections() -> None:
    op.create_table(
        "point_corrections",
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("source_seq", sa.BigInteger(), nullable=False),
        sa.Column("sale_id", sa.Text(), nullable=False),
        sa.Column("return_id", sa.Text()),
        sa.Column("redemption_id", sa.Uuid()),
        sa.Column("customer_id", sa.Text()),
        sa.Column("taken", sa.BigInteger(), nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("lost_day", sa.Date(), nullable=False),
        sa.Column("corrected_on", sa.Date(), nullable=False),
        sa.Column("corrected_at", INSTANT, nullable=False),
        sa.Column("corrected_by", sa.Text(), nullable=False),
        sa.CheckConstraint("kind in ('sale', 'refund', 'use')", name=op.f("ck_point_corrections_kind")),
        sa.CheckConstraint("taken >= 0", name=op.f("ck_point_corrections_taken")),
        sa.PrimaryKeyConstraint("event_id", "kind", name=op.f("pk_point_corrections")),
    )
    op.create_index("point_corrections_sale", "point_corrections", ["sale_id"])
    op.create_index("point_corrections_customer", "point_corrections", ["customer_id"])


def downgrade() -> None:
    op.execute(KEEP.format(again="true"))
    op.drop_index("offers_answer", "offers")
    op.drop_column("offers", "answer_event_id")
    op.drop_table("point_corrections")
    op.drop_index("point_redemptions_use", "point_redemptions")
    op.drop_column("point_redemptions", "used_event_id")
    op.drop_index("point_restorations_refund", "point_restorations")
    op.drop_constraint("pk_point_restorations", "point_restorations")
    op.create_primary_key("pk_point_restorations", "point_restorations", ["refund_id", "redemption_id"])
    op.drop_column("point_restorations", "cause_event_id")
    op.drop_index("point_refunds_refund", "point_refunds")
    op.drop_constraint("pk_point_refunds", "point_refunds")
    op.create_primary_key("pk_point_refunds", "point_refunds", ["refund_id", "sale_line_id"])
    op.create_index("point_refunds_cause", "point_refunds", ["cause_event_id", "sale_line_id"], unique=True)
