"""Databases of finance as an earlier release left them: migrated as far as that, guarded as it guarded, and filled."""

from contextlib import contextmanager

from alembic import command
from sqlalchemy import MetaData

from finance.app import SERVICE
from shared import migrations, row_log
from shared.chain import CANONICAL
from shared.postgres import new_engine


def guard_as_before(conn):
    """Guard the tables as they stand, as the release before does when it migrates, and return them."""
    found = MetaData()
    found.reflect(conn, only=lambda name, _: name in SERVICE.metadata.tables)
    tables = list(found.tables.values())
    for table in tables:
        table.info.update(SERVICE.metadata.tables[table.name].info)
    row_log.install(conn, tables)
    return tables


def faults_in(conn, tables, names):
    """What the logs of these tables, as far as they are there, say of rows that are not as they were written down."""
    conn.exec_driver_sql(CANONICAL)
    there = [table.name for table in tables if table.name in names]
    return [fault for name in there for fault in row_log.verify_table(conn, name, tables, ())]


def url_of(engine):
    return engine.url.render_as_string(hide_password=False)


@contextmanager
def filled_before(postgres, revision, rows):
    """The engine of a database at a revision, in which the SQL of `rows` was run after its tables were guarded."""
    url = postgres.create_database()
    command.upgrade(migrations.config(SERVICE, url), revision)
    engine = new_engine(url)
    with engine.begin() as conn:
        guard_as_before(conn)
    with engine.begin() as conn:
        conn.exec_driver_sql(rows)
    yield engine
    engine.dispose()
    postgres.drop_database(url)
