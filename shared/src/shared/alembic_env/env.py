"""Run by Alembic with the service and URL in `config.attributes`."""

from typing import Any

from alembic import context
from sqlalchemy import NullPool, text

from shared import postgres
from shared.migrations import PARTITION

service = context.config.attributes["service"]


def include(_object: Any, name: str | None, kind: str, reflected: bool, compare_to: Any) -> bool:
    """Leave partitions, and what hangs on them, out of the comparison."""
    table = getattr(getattr(_object, "table", None), "name", None) or name
    return not (reflected and table is not None and PARTITION.search(table))


def include_name(name: str | None, kind: str, _parents: Any) -> bool:
    """Look only into the schemas the service's own tables live in (None is the default one)."""
    return kind != "schema" or name in {None, *(table.schema for table in service.metadata.tables.values())}


# Without a pool a migration that fails closes its connection, and with it lets go of the lock.
# What a migration changes is written down as its.
engine = postgres.new_engine(
    context.config.attributes["url"], options=f"-c {postgres.WRITER}=migrate", poolclass=NullPool
)
with engine.connect() as connection:
    connection.execute(text("set lock_timeout = '5s'"))
    connection.execute(text("select pg_advisory_lock(4242)"))
    connection.commit()
    context.configure(
        connection=connection,
        target_metadata=service.metadata,
        include_object=include,
        include_name=include_name,
        include_schemas=True,
        compare_type=True,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()
    connection.execute(text("select pg_advisory_unlock(4242)"))
    connection.commit()
engine.dispose()
