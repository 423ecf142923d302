"""Customers: offers to patients and the decisions on them."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
# What was proposed never changes, only what became of it; an offer that is over stays so.
REFUSE = """
create function refuse_offer_change() returns trigger language plpgsql as $$
begin
    raise exception 'what was offered does not change' using errcode = 'restrict_violation';
end $$
"""
KEEP = """
create trigger keep_written before update on offers for each row
when (
    (old.offer_id, old.plan_id, old.branch_id, old.title, old.benefit, old.terms, old.first_day, old.last_day,
     old.cost_fen, old.proposed_by, old.proposed_at, old.subject_hash)
    <> (new.offer_id, new.plan_id, new.branch_id, new.title, new.benefit, new.terms, new.first_day, new.last_day,
        new.cost_fen, new.proposed_by, new.proposed_at, new.subject_hash)
    or old.state in ('refused', 'rejected', 'withdrawn', 'ended')
) execute function refuse_offer_change()
"""


def upgrade() -> None:
    op.create_table(
        "offers",
        sa.Column("offer_id", sa.Uuid(), nullable=False),
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("branch_id", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("benefit", sa.Text(), nullable=False),
        sa.Column("terms", sa.Text(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("cost_fen", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("proposed_by", sa.Text(), nullable=False),
        sa.Column("proposed_at", INSTANT, nullable=False),
        sa.Column("drawing_id", sa.Uuid()),
        sa.Column("refusal", sa.Text()),
        sa.Column("used_fen", sa.BigInteger()),
        sa.Column("subject_hash", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "state in ('asking', 'funded', 'refused', 'published', 'rejected', 'withdrawn', 'ended')",
            name=op.f("ck_offers_state"),
        ),
        sa.CheckConstraint(
            "(state in ('asking', 'refused')) = (drawing_id is null)", name=op.f("ck_offers_funded")
        ),
        sa.CheckConstraint("(state = 'refused') = (refusal is not null)", name=op.f("ck_offers_refused")),
        sa.CheckConstraint(
            "(state in ('rejected', 'withdrawn', 'ended')) = (used_fen is not null)",
            name=op.f("ck_offers_over"),
        ),
        sa.CheckConstraint("cost_fen > 0 and used_fen between 0 and cost_fen", name=op.f("ck_offers_cost")),
        sa.CheckConstraint("first_day <= last_day", name=op.f("ck_offers_days")),
        sa.PrimaryKeyConstraint("offer_id", name=op.f("pk_offers")),
    )
    op.create_index("offers_branch", "offers", ["branch_id", "offer_id"])
    op.create_table(
        "offer_decisions",
        sa.Column("offer_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("approved", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("subject_hash", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["offer_id"], ["offers.offer_id"], name=op.f("fk_offer_decisions_offer_id_offers")
        ),
        sa.PrimaryKeyConstraint("offer_id", "role", name=op.f("pk_offer_decisions")),
        sa.UniqueConstraint("offer_id", "person", name=op.f("uq_offer_decisions_offer_id_person")),
    )
    op.execute(REFUSE)
    op.execute(KEEP)
    op.execute(
        "create trigger append_only before update or delete on offer_decisions"
        " for each row execute function refuse_offer_change()"
    )


def downgrade() -> None:
    op.drop_table("offer_decisions")
    op.drop_table("offers")
    op.execute("drop function refuse_offer_change()")
