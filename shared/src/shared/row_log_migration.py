"""What gives every service the log of its rows, one migration each calls this; and what later migrations owe to it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.create_table(
        "row_log",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column(
            "stream",
            sa.Text(),
            server_default=sa.text("to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM')"),
            nullable=False,
        ),
        sa.Column(
            "at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column("relation", sa.Text(), nullable=False),
        sa.Column("op", sa.Text(), nullable=False),
        sa.Column("keys", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("hashes", postgresql.ARRAY(sa.LargeBinary()), nullable=False),
        sa.Column("writer", sa.Text(), nullable=False),
        sa.Column("upto", sa.BigInteger()),
        sa.Column("chain_no", sa.BigInteger()),
        sa.Column("chain_hash", sa.LargeBinary()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_row_log")),
    )
    op.create_index("row_log_relation", "row_log", ["relation", "id"])
    op.create_index(
        "row_log_upto", "row_log", ["relation", "upto"], postgresql_where=sa.text("upto is not null")
    )
    op.create_index("row_log_unsealed", "row_log", ["id"], postgresql_where=sa.text("chain_no is null"))
    op.create_index(
        "row_log_sealed",
        "row_log",
        ["stream", "chain_no"],
        unique=True,
        postgresql_where=sa.text("chain_no is not null"),
    )


def downgrade() -> None:
    # the guards write to it
    op.execute(
        """
do $$ declare found record; begin
    for found in select oid::regprocedure as name from pg_proc where proname ~ '^(note|follow)_' loop
        execute format('drop function %s cascade', found.name);
    end loop;
end $$
"""
    )
    op.drop_table("row_log")


def read_anew(table: str) -> None:
    """A column of `table` changed its type, so its rows read otherwise: they are written down again when guards are made.

    To be called by the migration that changes it, up and down: the definition of a guard names columns, not their types.
    """
    op.execute(
        f"do $$ begin if to_regproc('note_{table}') is not null then"
        f" comment on function note_{table}() is null; end if; end $$"
    )
