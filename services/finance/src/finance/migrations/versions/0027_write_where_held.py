"""`hold_month` says which month the transaction holds, for the statement that writes a sale: it is on its way already."""

from alembic import op

from shared.partitions import MAKER_LOCK

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

HEAD = """
create or replace function hold_month(wanted date) returns text language plpgsql volatile as $$
declare
    key int := extract(year from wanted)::int * 100 + extract(month from wanted)::int;
begin
    if not exists (select from periods where month = wanted) then
        return null;
    end if;
"""
# 7101 is repository.PERIOD_LOCK.
HOLD = f"""
    perform pg_advisory_xact_lock_shared({MAKER_LOCK}, key);
    perform pg_partition_root(to_regclass('public.journal_lines'));
    perform pg_advisory_xact_lock_shared(7101, key);
"""
TAIL = """
    return (select state from periods where month = wanted);
end $$
"""
# A maker may commit between this function and the next statement, which then sees the period and not yet the
# partitions. So it writes only where the month was held: `repository.add_sale`.
SAY = """
    perform set_config('finance.held_month', wanted::text, true);
"""


def upgrade() -> None:
    op.execute(HEAD + HOLD + SAY + TAIL)


def downgrade() -> None:
    op.execute(HEAD + HOLD + TAIL)
