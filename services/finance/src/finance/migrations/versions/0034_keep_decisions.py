"""Decisions on vouchers have their table, and those on statements and write-offs the columns that all decisions have.

Code of the release before signs statements without saying `approved`, hence its default. It says 1 or 0 of write-offs,
which no boolean takes: write-offs are not decided during the roll. What it decides of vouchers then is kept with the
voucher alone.
"""

import sqlalchemy as sa
from alembic import op

from shared import row_log_migration

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

# A draft that was rejected for its overrun was not decided on by itself.
DECIDED = """
insert into voucher_decisions (voucher_id, role, person, approved, reason, at, subject_hash)
select v.voucher_id, 'finance_head', v.decided_by, v.state = 'posted', v.decided_reason, v.decided_at, v.subject_hash
from vouchers v
where v.state <> 'draft' and not exists (
    select from budget_overrun_decisions o where o.source_id = v.voucher_id and not o.approved
)
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.create_table(
        "voucher_decisions",
        sa.Column("voucher_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("approved", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("subject_hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("voucher_id", "role", name=op.f("pk_voucher_decisions")),
        sa.UniqueConstraint("voucher_id", "person", name=op.f("uq_voucher_decisions_voucher_id_person")),
    )
    op.execute(DECIDED)
    op.add_column(
        "statement_decisions",
        sa.Column("approved", sa.Boolean(), nullable=False, server_default=sa.true()),
    )
    op.add_column("statement_decisions", sa.Column("reason", sa.Text()))
    op.alter_column("write_off_decisions", "approved", type_=sa.Boolean(), postgresql_using="approved <> 0")
    row_log_migration.read_anew("write_off_decisions")


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.alter_column(
        "write_off_decisions", "approved", type_=sa.SmallInteger(), postgresql_using="approved::int"
    )
    row_log_migration.read_anew("write_off_decisions")
    op.drop_column("statement_decisions", "reason")
    op.drop_column("statement_decisions", "approved")
    op.drop_table("voucher_decisions")
