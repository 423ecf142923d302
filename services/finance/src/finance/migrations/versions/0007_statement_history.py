"""Finance: published statements in a hash chain, and frozen by the database itself."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

# A row is sealed once, and otherwise never changed or removed.
HISTORY_GUARD = """
create function seal_once() returns trigger language plpgsql as $$
begin
    if tg_op = 'UPDATE' and old.chain_no is null and old.chain_hash is null
        and (to_jsonb(new) - 'chain_no' - 'chain_hash') = (to_jsonb(old) - 'chain_no' - 'chain_hash') then
        return new;
    end if;
    raise exception '% is append-only', tg_table_name using errcode = 'restrict_violation';
end $$
"""
HISTORY_KEEPS = """
create trigger append_only before update or delete on statement_history
for each row execute function seal_once()
"""
# A statement moves on; its content never changes, and its day of publication is said once.
FROZEN = """
create trigger frozen before update on statements for each row when (
    (to_jsonb(old) - 'state' - 'published_on' - 'on_time')
        <> (to_jsonb(new) - 'state' - 'published_on' - 'on_time')
    or (old.published_on is not null
        and (old.published_on, old.on_time) is distinct from (new.published_on, new.on_time))
) execute function refuse_change()
"""
OF_EARLIER_STATEMENTS = """
insert into statement_history (stream, statement_id, event, actor, at)
select kind || '-' || extract(year from month)::int, statement_id, event, 'system:finance', now()
from (
    select kind, month, version, statement_id, 'published' as event, 0 as place from statements
    where state in ('published', 'restated')
    union all
    select kind, month, version, statement_id, 'restated', 1 from statements where state = 'restated'
) past order by month, kind, version, place
"""
KEPT = ("statement_decisions", "statement_errors")


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.create_table(
        "statement_history",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("statement_id", sa.Uuid(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("chain_no", sa.BigInteger(), nullable=True),
        sa.Column("chain_hash", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint("event in ('published', 'restated')", name=op.f("ck_statement_history_event")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_statement_history")),
        sa.UniqueConstraint("statement_id", "event", name=op.f("uq_statement_history_statement_id_event")),
    )
    op.create_index(
        "statement_history_unsealed",
        "statement_history",
        ["id"],
        unique=False,
        postgresql_where=sa.text("chain_no is null"),
    )
    op.create_index(
        "statement_history_sealed",
        "statement_history",
        ["stream", "chain_no"],
        unique=True,
        postgresql_where=sa.text("chain_no is not null"),
    )
    op.execute(OF_EARLIER_STATEMENTS)
    op.execute(HISTORY_GUARD)
    op.execute(HISTORY_KEEPS)
    op.execute(FROZEN)
    for table in KEPT:
        op.execute(
            f"create trigger append_only before update on {table} for each row execute function refuse_change()"
        )
    for table in ("statements", *KEPT):
        op.execute(
            f"create trigger no_delete before delete on {table} for each row execute function refuse_change()"
        )
    for table in ("statements", *KEPT, "statement_history"):
        op.execute(
            f"create trigger no_truncate before truncate on {table} for each statement"
            " execute function refuse_change()"
        )


def downgrade() -> None:
    for table in ("statements", *KEPT):
        op.execute(f"drop trigger no_truncate on {table}")
        op.execute(f"drop trigger no_delete on {table}")
    for table in KEPT:
        op.execute(f"drop trigger append_only on {table}")
    op.execute("drop trigger frozen on statements")
    op.drop_table("statement_history")
    op.execute("drop function seal_once()")
