"""Sealing folds the lines of its batch alone: it no longer reads the whole month for each."""

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

FOLD = """
create or replace function fold_sealed() returns trigger language plpgsql as $$
declare
    part record;
begin
    for part in
        select date_trunc('month', booked_on)::date as first, min(id) as low, max(id) as high
        from sealed group by 1 order by 1
    loop
        execute format($sql$
            insert into running_balances as b (month, account, branch_id, is_transfer, debit_fen, credit_fen)
            select %L, l.account, l.branch_id, e.kind in ('year_result', 'year_transfer'),
                sum(l.debit_fen), sum(l.credit_fen)
            from sealed e join journal_lines l on l.entry_id = e.id and l.booked_on = e.booked_on
            where e.booked_on >= %L and e.booked_on < %L and l.booked_on >= %L and l.booked_on < %L
                and l.entry_id between %L and %L
            group by l.account, l.branch_id, 4
            on conflict (month, account, branch_id, is_transfer) do update
            set debit_fen = b.debit_fen + excluded.debit_fen, credit_fen = b.credit_fen + excluded.credit_fen
        $sql$, part.first, part.first, part.first + interval '1 month', part.first,
            part.first + interval '1 month', part.low, part.high);
    end loop;
    return null;
end $$
"""


def upgrade() -> None:
    op.execute(FOLD)


def downgrade() -> None:
    """The older version sums the same; it stays."""
