"""Facts built anew in a schema beside the live ones, and swapped for them.

Statements run on psycopg's own connection, within the caller's transaction where they say so.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

from psycopg import Connection, Cursor, sql

from reporting.facts.store.held import FACTS_LOCK
from reporting.facts.tables import FACT_TABLES, SCHEMA
from reporting.kernel.metadata import metadata
from shared import postgres, rights, row_log
from shared.chain import CANONICAL
from shared.service import Service

REBUILD_LOCK: Final = 7_303
PREFIX: Final = "rebuild_"


def is_alone(conn: Connection[Any]) -> bool:
    """Whether nobody else rebuilds; then nobody else can until this connection is closed."""
    return conn.execute("select pg_try_advisory_lock(%s)", (REBUILD_LOCK,)).fetchone() == (True,)


def let_others(conn: Connection[Any]) -> None:
    """Let go of what `is_alone` took: the server notices a closed connection only some time later."""
    conn.execute("select pg_advisory_unlock(%s)", (REBUILD_LOCK,))


def write_unhurried(conn: Connection[Any]) -> None:
    """Commits of this connection wait for no disk: what is lost in a crash is built again."""
    conn.execute("set synchronous_commit = off")


def make_schema(url: str, schema: str) -> None:
    """A schema with the tables of the facts, empty and without partitions."""
    engine = postgres.new_engine(url).execution_options(schema_translate_map={SCHEMA: schema})
    with engine.begin() as conn:
        conn.exec_driver_sql(f"create schema {schema}")
        metadata.create_all(conn, tables=list(FACT_TABLES), checkfirst=False)
    engine.dispose()


def drop_leftovers(cursor: Cursor[Any]) -> None:
    """Schemas of rebuilds that were broken off, or swapped out. One table per transaction: locks are many."""
    cursor.execute("select nspname from pg_namespace where nspname ~ %s", (f"^{PREFIX}[0-9]+(_old)?$",))
    for (schema,) in cursor.fetchall():
        for table in FACT_TABLES:
            cursor.execute(
                sql.SQL("drop table if exists {} cascade").format(sql.Identifier(schema, table.name))
            )
        cursor.execute(sql.SQL("drop schema if exists {} cascade").format(sql.Identifier(schema)))


def live_months(cursor: Cursor[Any]) -> list[date]:
    """The months that have partitions, by their first days."""
    cursor.execute(
        "select to_date(right(child.relname, 7), 'YYYY\"m\"MM') from pg_inherits i"
        " join pg_class child on child.oid = i.inhrelid where i.inhparent = 'facts.fact_other'::regclass"
    )
    return sorted(row[0] for row in cursor.fetchall())


def waiting(cursor: Cursor[Any], source: str, first: int, last: int) -> set[int]:
    """The numbers from `first` to `last` that are parked, or discarded by decision."""
    cursor.execute(
        "select seq from parked_events"
        " where source = %s and seq between %s and %s and state in ('parked', 'discarded')",
        (source, first, last),
    )
    return {row[0] for row in cursor.fetchall()}


def live_numbers(conn: Connection[Any], source: str) -> tuple[int, int]:
    """(watermark, highest number seen) of the live facts."""
    row = conn.execute(
        "select coalesce(max(contiguous_seq), 0), greatest(coalesce(max(contiguous_seq), 0),"
        " (select coalesce(max(seq), 0) from inbox where source = %(source)s))"
        " from source_state where source = %(source)s",
        {"source": source},
    ).fetchone()
    assert row is not None
    return int(row[0]), int(row[1])


def remove(cursor: Cursor[Any], schema: str, source: str, numbers: Sequence[int]) -> None:
    """Take the facts of these events out of what is built anew."""
    for table in FACT_TABLES if numbers else ():
        cursor.execute(
            sql.SQL("delete from {} where source = %s and seq = any(%s)").format(
                sql.Identifier(schema, table.name)
            ),
            (source, list(numbers)),
        )


def remove_unseen(cursor: Cursor[Any], schema: str, source: str, through: int) -> None:
    """Take out what the live inbox does not know yet: it will come by the consumer, with its revisions."""
    for table in FACT_TABLES:
        cursor.execute(
            sql.SQL(
                "delete from {} t where source = %(source)s and seq <= %(through)s"
                " and seq > (select coalesce(max(greatest(contiguous_seq, pruned_seq)), 0)"
                " from source_state where source = %(source)s)"
                " and not exists (select 1 from inbox i where i.source = t.source and i.seq = t.seq)"
            ).format(sql.Identifier(schema, table.name)),
            {"source": source, "through": through},
        )


def keep_consumer_out(cursor: Cursor[Any]) -> None:
    """No fact is stored from now on until the caller's transaction ends."""
    cursor.execute("select pg_advisory_xact_lock(%s)", (FACTS_LOCK,))


def swap(cursor: Cursor[Any], schema: str, service: Service, role: str | None) -> None:
    """What was built in `schema` is live when the caller's transaction ends; the live ones become leftovers.

    The new facts are guarded as the old ones were, and `role`, which runs the service, may use them.
    """
    cursor.execute(
        sql.SQL("alter schema {live} rename to {old}; alter schema {new} rename to {live}").format(
            live=sql.Identifier(SCHEMA), old=sql.Identifier(f"{schema}_old"), new=sql.Identifier(schema)
        )
    )
    wanted = row_log.of_copy(FACT_TABLES, SCHEMA)
    if role is not None:
        tables = list(service.metadata.tables.values())
        wanted += rights.statements(tables, service.followed, role, ["public", SCHEMA])
    for statement in wanted:
        cursor.execute(statement.encode())


def adopt(cursor: Cursor[Any]) -> None:
    """Facts that are other than before are written down as those of a rebuild."""
    cursor.execute(CANONICAL)
    for one in row_log.guarded(FACT_TABLES):
        cursor.execute(row_log.adoption(one, "rebuild").encode())
