"""Customers: credit policy, its decisions, and the archive of both."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# What was proposed and decided on never changes; only what became of it.
REFUSE = """
create function refuse_credit_change() returns trigger language plpgsql as $$
begin
    raise exception 'the credit archive is append-only' using errcode = 'restrict_violation';
end $$
"""
KEEP = """
create trigger append_only before update on credits for each row
when (
    (old.credit_id, old.customer_id, old.base_version, old.limit_fen, old.overdue_tolerance_fen, old.on_hold,
     old.reason, old.requested_by, old.requested_at, old.subject_hash)
    <> (new.credit_id, new.customer_id, new.base_version, new.limit_fen, new.overdue_tolerance_fen, new.on_hold,
        new.reason, new.requested_by, new.requested_at, new.subject_hash)
    or old.valid_until is distinct from new.valid_until
    or old.state <> 'proposed'
) execute function refuse_credit_change()
"""


def upgrade() -> None:
    op.create_table(
        "credits",
        sa.Column("credit_id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("base_version", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("limit_fen", sa.BigInteger(), nullable=False),
        sa.Column("overdue_tolerance_fen", sa.BigInteger(), nullable=False),
        sa.Column("on_hold", sa.Boolean(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("requested_by", sa.Text(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("effective_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("subject_hash", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "state in ('proposed', 'effective', 'rejected', 'superseded')", name=op.f("ck_credits_state")
        ),
        sa.CheckConstraint("limit_fen >= 0 and overdue_tolerance_fen >= 0", name=op.f("ck_credits_amounts")),
        sa.CheckConstraint(
            "(state = 'effective') = (version is not null)", name=op.f("ck_credits_effective")
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_credits_customer_id_customers")
        ),
        sa.PrimaryKeyConstraint("credit_id", name=op.f("pk_credits")),
        sa.UniqueConstraint("customer_id", "version", name=op.f("uq_credits_customer_id_version")),
    )
    op.create_index("credits_customer", "credits", ["customer_id", "credit_id"])
    op.create_index(
        "credits_proposed",
        "credits",
        ["customer_id"],
        unique=True,
        postgresql_where=sa.text("state = 'proposed'"),
    )
    op.create_table(
        "credit_decisions",
        sa.Column("credit_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("approved", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("subject_hash", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["credit_id"], ["credits.credit_id"], name=op.f("fk_credit_decisions_credit_id_credits")
        ),
        sa.PrimaryKeyConstraint("credit_id", "role", name=op.f("pk_credit_decisions")),
        sa.UniqueConstraint("credit_id", "person", name=op.f("uq_credit_decisions_credit_id_person")),
    )
    op.execute(REFUSE)
    op.execute(KEEP)
    op.execute(
        "create trigger append_only before update or delete on credit_decisions"
        " for each row execute function refuse_credit_change()"
    )


def downgrade() -> None:
    op.drop_table("credit_decisions")
    op.drop_table("credits")
    op.execute("drop function refuse_credit_change()")
