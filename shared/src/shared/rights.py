"""What the role of a service may do in its own database: what its tables declare, and no more.

The role owns nothing. It selects and inserts; it updates and deletes where a table is declared so (shared.tables), and
of sealed tables only the columns that are given later. No DDL, no TRUNCATE: what a running service must make, such as
the partitions of a new month, it asks of functions of the owner (shared.partitions). Given anew by every migration, so that a new table is
usable at once and nothing stays of what was given by hand.
"""

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection, Table, text

from shared.row_log import Followed


def statements(
    tables: Sequence[Table], followed: Sequence[Followed], role: str, schemas: Sequence[str]
) -> Iterator[str]:
    """The SQL that gives `role` its rights, and takes every other one."""
    for schema in schemas:
        yield f'revoke all on all tables in schema {schema} from public, "{role}"'
        yield f'revoke all on all sequences in schema {schema} from public, "{role}"'
        yield f'grant usage on schema {schema} to "{role}"'
        yield f'grant usage on all sequences in schema {schema} to "{role}"'
    yield f'grant select on alembic_version to "{role}"'
    for table in tables:
        yield f'grant {", ".join(_of(table))} on {table.fullname} to "{role}"'
    for each in followed:
        yield f"revoke all on function follow_{each.relation}(int) from public"
        yield f'grant execute on function follow_{each.relation}(int) to "{role}"'


def _of(table: Table) -> list[str]:
    info = table.info
    rights = ["select"]
    if table.name != "row_log":  # its triggers alone write it
        rights.append("insert")
    if "apart" in info:
        rights.append(f"update ({', '.join(info['apart'])})")
    elif "changes" in info or "working" in info:
        rights.append("update")
    elif "locks" in info:
        rights.append(f"update ({info['locks']})")
    if "removes" in info:
        rights.append("delete")
    return rights


def grant(conn: Connection, tables: Sequence[Table], followed: Sequence[Followed], role: str) -> None:
    """Give `role` its rights, as the owner of the tables. Nothing is done when it is the owner itself."""
    if conn.execute(text("select current_user")).scalar_one() == role:
        return
    schemas = ["public", *sorted({table.schema for table in tables if table.schema})]
    for statement in statements(tables, followed, role, schemas):
        conn.exec_driver_sql(statement)
