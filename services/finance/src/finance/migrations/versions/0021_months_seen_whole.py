"""Months are made by the shared functions and held only once they are seen whole."""

from alembic import op

from shared.partitions import MAKER_LOCK, functions_sql

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

PARENTS = ("sales", "sale_lines", "tenders", "journal_entries", "journal_lines")
# nothing may slip in before a closed month: its balances are frozen
PERIOD = """
    insert into periods (month, state)
    select first, case when exists (select from periods where month > first and state <> 'open')
        then 'soft_closed' else 'open' end;
"""

# What see_month does, with the period as the sign that the month is there: one look less for every sale.
# Volatile on purpose: the state is read in a snapshot taken after the lock was given, so a till that waited for a
# closing sees the month closed. 7101 is repository.PERIOD_LOCK.
HOLD_MONTH = f"""
create or replace function hold_month(wanted date) returns text language plpgsql volatile as $$
declare
    key int := extract(year from wanted)::int * 100 + extract(month from wanted)::int;
begin
    if not exists (select from periods where month = wanted) then
        return null;
    end if;
    perform pg_advisory_xact_lock_shared({MAKER_LOCK}, key);
    perform pg_partition_root(to_regclass('public.journal_lines'));
    perform pg_advisory_xact_lock_shared(7101, key);
    return (select state from periods where month = wanted);
end $$
"""


def upgrade() -> None:
    for statement in (*functions_sql(PARENTS, also=PERIOD), HOLD_MONTH):
        op.execute(statement)


def downgrade() -> None:
    op.execute("drop function see_month(date)")
