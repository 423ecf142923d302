"""Balances folded by the sealing, closed months carried forward, vouchers, reversals, re-opening, points."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# Runs in the sealer's transaction, whoever seals: an entry is either unsealed or in the sums, never both or neither.
# Dynamic, one month at a time: each statement is planned for one partition and for the size of this batch.
FOLD = """
create function fold_sealed() returns trigger language plpgsql as $$
declare
    first date;
begin
    for first in select distinct date_trunc('month', booked_on)::date from sealed order by 1 loop
        execute format($sql$
            insert into running_balances as b (month, account, branch_id, is_transfer, debit_fen, credit_fen)
            select %L, l.account, l.branch_id, e.kind in ('year_result', 'year_transfer'),
                sum(l.debit_fen), sum(l.credit_fen)
            from sealed e join journal_lines l on l.entry_id = e.id and l.booked_on = e.booked_on
            where e.booked_on >= %L and e.booked_on < %L and l.booked_on >= %L and l.booked_on < %L
            group by l.account, l.branch_id, 4
            on conflict (month, account, branch_id, is_transfer) do update
            set debit_fen = b.debit_fen + excluded.debit_fen, credit_fen = b.credit_fen + excluded.credit_fen
        $sql$, first, first, first + interval '1 month', first, first + interval '1 month');
    end loop;
    return null;
end $$
"""

# Whoever writes an entry holds the month open (hold_month), so the state read here cannot change under it.
OPEN_PERIOD = """
create function require_open_period() returns trigger language plpgsql as $$
begin
    if exists (
        select from (select distinct date_trunc('month', booked_on)::date as month from added) a
        left join periods p using (month) where p.state is distinct from 'open'
    ) then
        raise exception 'the period of an entry is not open' using errcode = 'check_violation';
    end if;
    return null;
end $$
"""

# Frozen: a closed month's sums change by re-opening it alone, which removes them.
FROZEN = """
create trigger frozen before update on period_balances for each row execute function refuse_change()
"""

BACKFILL = """
insert into running_balances (month, account, branch_id, is_transfer, debit_fen, credit_fen)
select date_trunc('month', l.booked_on)::date, l.account, l.branch_id, false, sum(l.debit_fen), sum(l.credit_fen)
from journal_entries e join journal_lines l on l.entry_id = e.id and l.booked_on = e.booked_on
where e.chain_no is not null group by 1, 2, 3
"""

# Every account that ever moved gets a row in every closed month.
BACKFILL_CLOSED = """
insert into period_balances (month, account, branch_id, debit_fen, credit_fen, closing_fen)
select p.month, b.account, b.branch_id,
    coalesce(sum(b.debit_fen) filter (where b.month = p.month), 0),
    coalesce(sum(b.credit_fen) filter (where b.month = p.month), 0),
    sum(b.debit_fen - b.credit_fen)
from periods p join running_balances b on b.month <= p.month
where p.state <> 'open' group by p.month, b.account, b.branch_id
"""


def upgrade() -> None:
    op.create_table(
        "running_balances",
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("branch_id", sa.Text(), nullable=False),
        sa.Column("is_transfer", sa.Boolean(), nullable=False),
        sa.Column("debit_fen", sa.BigInteger(), nullable=False),
        sa.Column("credit_fen", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "month", "account", "branch_id", "is_transfer", name=op.f("pk_running_balances")
        ),
    )
    op.execute("alter table running_balances set (fillfactor = 50)")
    op.add_column("periods", sa.Column("late_days", sa.Integer()))
    op.execute(BACKFILL)
    op.execute("delete from period_balances")
    op.add_column("period_balances", sa.Column("closing_fen", sa.BigInteger(), nullable=False))
    op.execute(BACKFILL_CLOSED)
    op.create_table(
        "period_reopenings",
        sa.Column("reopening_id", sa.Uuid(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("subject_hash", sa.Text(), nullable=False),
        sa.Column("requested_by", sa.Text(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state in ('pending', 'approved', 'rejected')", name=op.f("ck_period_reopenings_state")
        ),
        sa.PrimaryKeyConstraint("reopening_id", name=op.f("pk_period_reopenings")),
    )
    op.create_index(
        "period_reopenings_pending",
        "period_reopenings",
        ["month"],
        unique=True,
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.create_table(
        "period_reopening_decisions",
        sa.Column("reopening_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("approved", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("subject_hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("reopening_id", "role", name=op.f("pk_period_reopening_decisions")),
        sa.UniqueConstraint(
            "reopening_id", "person", name=op.f("uq_period_reopening_decisions_reopening_id_person")
        ),
    )
    op.create_table(
        "vouchers",
        sa.Column("voucher_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("booked_on", sa.Date(), nullable=False),
        sa.Column("branch_id", sa.Text(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("lines", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("total_fen", sa.BigInteger(), nullable=False),
        sa.Column("subject_hash", sa.Text(), nullable=False),
        sa.Column("drafted_by", sa.Text(), nullable=False),
        sa.Column("drafted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_reason", sa.Text(), nullable=True),
        sa.CheckConstraint("state in ('draft', 'posted', 'rejected')", name=op.f("ck_vouchers_state")),
        sa.CheckConstraint("total_fen > 0", name=op.f("ck_vouchers_total")),
        sa.CheckConstraint("(state = 'draft') = (decided_by is null)", name=op.f("ck_vouchers_decided")),
        sa.CheckConstraint("decided_by <> drafted_by", name=op.f("ck_vouchers_two_persons")),
        sa.PrimaryKeyConstraint("voucher_id", name=op.f("pk_vouchers")),
    )
    op.create_index(
        "vouchers_drafts",
        "vouchers",
        ["booked_on"],
        unique=False,
        postgresql_where=sa.text("state = 'draft'"),
    )
    op.create_table(
        "reversals",
        sa.Column("entry_id", sa.BigInteger(), nullable=False),
        sa.Column("entry_booked_on", sa.Date(), nullable=False),
        sa.Column("reversal_id", sa.Uuid(), nullable=False),
        sa.Column("booked_on", sa.Date(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("reversed_by", sa.Text(), nullable=False),
        sa.Column("reversed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_reversals")),
        sa.UniqueConstraint("reversal_id", name=op.f("uq_reversals_reversal_id")),
    )
    op.create_table(
        "points_earned",
        sa.Column("sale_id", sa.Uuid(), nullable=False),
        sa.Column("branch_id", sa.Text(), nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("fen_per_point", sa.Integer(), nullable=False),
        sa.Column("earned_on", sa.Date(), nullable=False),
        sa.CheckConstraint("points > 0 and fen_per_point >= 0", name=op.f("ck_points_earned_points")),
        sa.PrimaryKeyConstraint("sale_id", name=op.f("pk_points_earned")),
    )
    op.create_table(
        "points_taken_back",
        sa.Column("sale_id", sa.Uuid(), nullable=False),
        sa.Column("return_id", sa.Text(), nullable=False),
        sa.Column("branch_id", sa.Text(), nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("taken_on", sa.Date(), nullable=False),
        sa.CheckConstraint("points >= 0", name=op.f("ck_points_taken_back_points")),
        sa.PrimaryKeyConstraint("sale_id", "return_id", name=op.f("pk_points_taken_back")),
    )
    op.execute(FOLD)
    op.execute(
        "create trigger fold after update on journal_entries referencing new table as sealed"
        " for each statement execute function fold_sealed()"
    )
    op.execute(OPEN_PERIOD)
    op.execute(
        "create trigger open_period after insert on journal_entries referencing new table as added"
        " for each statement execute function require_open_period()"
    )
    op.execute(FROZEN)


def downgrade() -> None:
    op.execute("drop trigger frozen on period_balances")
    op.execute("drop trigger open_period on journal_entries")
    op.execute("drop trigger fold on journal_entries")
    op.execute("drop function require_open_period()")
    op.execute("drop function fold_sealed()")
    for table in (
        "points_taken_back",
        "points_earned",
        "reversals",
        "vouchers",
        "period_reopening_decisions",
        "period_reopenings",
    ):
        op.drop_table(table)
    op.drop_column("period_balances", "closing_fen")
    op.drop_column("periods", "late_days")
    op.drop_table("running_balances")
