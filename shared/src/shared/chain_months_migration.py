"""What divides every service's audit and log of rows by month, and says where archived months went: one migration each.

Rows keep their numbers and hashes; the key of a row of the audit gets its stream, so the log of rows writes the audit
down once more under its new keys.
"""

import sqlalchemy as sa
from alembic import op

from shared.chain_months import CARRY, DROP, ENSURE, MONTHS_AHEAD, TABLES, parts

_COLUMNS = {
    "audit": "id, stream, at, actor, roles, action, subject, before_hash, after_hash, request_id, chain_no, chain_hash",
    "row_log": "id, stream, at, relation, op, keys, hashes, writer, upto, chain_no, chain_hash",
}
_INDEXES = {
    "audit": ("create index audit_subject on audit (subject)",),
    "row_log": (
        "create index row_log_relation on row_log (relation, id)",
        "create index row_log_upto on row_log (relation, upto) where upto is not null",
    ),
}
_TABLE = {
    "audit": """
        create table audit (
            id bigint generated always as identity, stream text not null, at timestamptz not null, actor text not null,
            roles text[] not null, action text not null, subject text not null, before_hash text, after_hash text,
            request_id text, chain_no bigint, chain_hash bytea, constraint pk_audit primary key (id, stream)
        ) partition by list (stream)
        """,
    "row_log": """
        create table row_log (
            id bigint generated always as identity,
            stream text not null default to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM'),
            at timestamptz not null default clock_timestamp(), relation text not null, op text not null,
            keys text[] not null, hashes bytea[] not null, writer text not null, upto bigint, chain_no bigint,
            chain_hash bytea, constraint pk_row_log primary key (id, stream)
        ) partition by list (stream)
        """,
}
_GUARD = (
    "create trigger audit_guard before update or delete on audit for each row execute function audit_guard()"
)


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    _new_tables()
    for table in TABLES:
        for statement in _divide(table):
            op.execute(sa.text(statement.replace(":", "\\:")))
    op.execute(_GUARD)
    for function in (ENSURE, CARRY, DROP):
        op.execute(sa.text(function.replace(":", "\\:")))
    op.execute("revoke all on function carry_rows(text, text) from public")
    for table in TABLES:
        op.execute(
            f"""
do $$ begin
    perform ensure_chain_month('{table}', to_date(stream, 'YYYY-MM'))
    from (select distinct stream from {table}_default where stream ~ '^[0-9]{{4}}-[0-9]{{2}}$') as held;
    perform ensure_chain_month('{table}', (current_date + make_interval(months => ahead))\\:\\:date)
    from generate_series(0, {MONTHS_AHEAD}) as ahead;
end $$
"""
        )


def _divide(table: str) -> tuple[str, ...]:
    columns = _COLUMNS[table]
    return (
        f"alter table {table} rename to {table}_undivided",
        f"alter table {table}_undivided drop constraint pk_{table}",
        *(f"drop index {each.split()[2]}" for each in _INDEXES[table]),
        f"drop index {table}_unsealed",
        f"drop index {table}_sealed",
        _TABLE[table],
        *_INDEXES[table],
        f"create index {table}_unsealed on {table} (id) where chain_no is null",
        f"create unique index {table}_sealed on {table} (stream, chain_no) where chain_no is not null",
        *parts(table),
        f"insert into {table} ({columns}) overriding system value select {columns} from {table}_undivided",
        (
            f"select setval(pg_get_serial_sequence('{table}', 'id'), coalesce((select max(id) from {table}), 1),"
            f" exists (select from {table}))"
        ),
        f"drop table {table}_undivided",
    )


def _new_tables() -> None:
    instant = sa.DateTime(timezone=True)
    op.add_column(
        "inbox_pages",
        sa.Column("made_at", instant, server_default=sa.text("clock_timestamp()"), nullable=False),
    )
    op.create_index("inbox_pages_made_at", "inbox_pages", ["made_at"])
    op.create_table(
        "chain_archives",
        sa.Column("chain", sa.Text(), nullable=False),
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("first_no", sa.BigInteger(), nullable=False),
        sa.Column("last_no", sa.BigInteger(), nullable=False),
        sa.Column("previous_hash", sa.LargeBinary(), nullable=False),
        sa.Column("last_hash", sa.LargeBinary(), nullable=False),
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("archived_at", instant, nullable=False),
        sa.PrimaryKeyConstraint("chain", "stream", "first_no", name=op.f("pk_chain_archives")),
    )
    op.create_table(
        "acknowledged_findings",
        sa.Column("log_id", sa.BigInteger(), nullable=False),
        sa.Column("acknowledged_at", instant, nullable=False),
        sa.Column("acknowledged_by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("log_id", name=op.f("pk_acknowledged_findings")),
    )
    op.create_table(
        "verified_parts",
        sa.Column("part", sa.Text(), nullable=False),
        sa.Column("verified_at", instant),
        sa.Column("tried_at", instant),
        sa.Column("upto", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("upto_hash", sa.LargeBinary()),
        sa.Column("findings", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("first_finding", sa.Text()),
        sa.PrimaryKeyConstraint("part", name=op.f("pk_verified_parts")),
    )


def downgrade() -> None:
    """The tables stay divided, which the older version reads too; a month once archived does not come back."""
    for function in (
        "drop_chain_month(text, date, bigint, bigint, bytea, bytea, text, text)",
        "carry_rows(text, text)",
        "ensure_chain_month(text, date)",
    ):
        op.execute(f"drop function {function}")
    for table in ("verified_parts", "acknowledged_findings", "chain_archives"):
        op.drop_table(table)
    op.drop_index("inbox_pages_made_at", "inbox_pages")
    op.drop_column("inbox_pages", "made_at")
