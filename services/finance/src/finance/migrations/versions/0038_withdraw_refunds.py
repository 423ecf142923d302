"""Refunds know the event of returns that caused them, and are withdrawn when it is lost.

Those of before have none: nothing finds them when their event is lost.
"""

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None

STATES = ["verified", "held", "approved", "paying", "paid", "failed"]
STEPS = ["verified", "approved", "held", "released", "paying", "paid", "failed"]

# What was agreed on never changes, unless the refund is withdrawn or, withdrawn before, owed anew.
KEEP = """
create trigger append_only before update on refunds for each row
when ({but}(
    (old.refund_id, old.return_id, old.sale_id, old.branch_id, old.booked_on, old.settled_on, old.total_fen)
    <> (new.refund_id, new.return_id, new.sale_id, new.branch_id, new.booked_on, new.settled_on, new.total_fen)
    or old.customer_id is distinct from new.customer_id
)) execute function refuse_change()
"""
BUT = "'withdrawn' not in (old.state, new.state) and "
KEEP_TENDER = """
create function keep_owed_tender() returns trigger language plpgsql as $$
begin
    if exists (select from refunds where refund_id = old.refund_id and state = 'withdrawn') then
        return old;
    end if;
    raise exception '% is append-only', tg_table_name using errcode = 'restrict_violation';
end $$
"""


def _only(table: str, column: str, words: list[str]) -> None:
    op.drop_constraint(op.f(f"ck_{table}_{column}"), table, type_="check")
    listed = ", ".join(f"'{word}'" for word in words)
    op.create_check_constraint(op.f(f"ck_{table}_{column}"), table, f"{column} in ({listed})")


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.add_column("refunds", sa.Column("cause_event_id", sa.Uuid()))
    op.add_column("refunds", sa.Column("cause_lost_on", sa.Date()))
    op.add_column("refund_lines", sa.Column("booked_on", sa.Date()))
    op.create_index("refunds_cause", "refunds", ["cause_event_id"])
    op.create_index(
        "refunds_cause_lost", "refunds", ["refund_id"], postgresql_where=sa.text("cause_lost_on is not null")
    )
    _only("refunds", "state", [*STATES, "withdrawn"])
    _only("refund_steps", "step", [*STEPS, "withdrawn", "cause_lost", "told_again"])
    op.execute("drop trigger append_only on refunds")
    op.execute(KEEP.format(but=BUT))
    op.execute(KEEP_TENDER)
    op.execute("drop trigger no_delete on refund_tenders")
    op.execute(
        "create trigger no_delete before delete on refund_tenders for each row execute function keep_owed_tender()"
    )


def downgrade() -> None:
    op.execute("drop trigger no_delete on refund_tenders")
    op.execute(
        "create trigger no_delete before delete on refund_tenders for each row execute function refuse_change()"
    )
    op.execute("drop function keep_owed_tender()")
    op.execute("drop trigger append_only on refunds")
    op.execute(KEEP.format(but=""))
    _only("refund_steps", "step", STEPS)
    _only("refunds", "state", STATES)
    op.drop_index("refunds_cause_lost", "refunds")
    op.drop_index("refunds_cause", "refunds")
    op.drop_column("refund_lines", "booked_on")
    op.drop_column("refunds", "cause_lost_on")
    op.drop_column("refunds", "cause_event_id")
