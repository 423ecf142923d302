"""Keep the audit append-only in the database itself: a row is sealed once, and otherwise never changed or removed."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

GUARD = """
create function audit_guard() returns trigger language plpgsql as $$
begin
    if tg_op = 'UPDATE' and old.chain_no is null and old.chain_hash is null
        and (to_jsonb(new) - 'chain_no' - 'chain_hash') = (to_jsonb(old) - 'chain_no' - 'chain_hash') then
        return new;
    end if;
    raise exception 'the audit is append-only' using errcode = 'restrict_violation';
end $$
"""
TRIGGER = """
create trigger audit_guard before update or delete on audit for each row execute function audit_guard()
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute(GUARD)
    op.execute(TRIGGER)


def downgrade() -> None:
    op.execute("drop trigger audit_guard on audit")
    op.execute("drop function audit_guard()")
