"""A service's database as a deployment has it: one role that owns, one that runs."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files

import psycopg
from psycopg import sql
from sqlalchemy import Connection, create_engine, make_url

from shared import migrations, rights
from shared.database import Database
from shared.service import Service, load

PASSWORD = "of-a-test"
superusers: dict[str, str] = {}
"""The superuser's URL by that of the runtime role, for databases that tests were given."""


def rights_around(url, package):
    """Run rights.sql in the database at the superuser's `url`; returns the URLs of owner and runtime role."""
    with psycopg.connect(_plain(url), autocommit=True) as conn:
        conn.execute("select set_config('rights.service', %s, false)", [package])
        conn.execute((files("shared") / "rights.sql").read_bytes())
        for role in (package, f"{package}_owner"):
            conn.execute(
                sql.SQL("alter role {} password {}").format(sql.Identifier(role), sql.Literal(PASSWORD))
            )
    return as_role(url, f"{package}_owner"), as_role(url, package)


def owner_of(url):
    """The URL of the owner of a database that the runtime role's `url` names: who migrates and rebuilds."""
    return as_role(url, f"{make_url(url).username}_owner")


@contextmanager
def behind(database: Database) -> Iterator[Connection]:
    """One transaction of a superuser: what no service may do, for fixtures and for tampering. Triggers are on."""
    above = Database(superusers[database.url], pool_size=1)
    try:
        with above.engine.connect() as conn:
            yield conn
            conn.commit()
    finally:
        above.dispose()


def as_role(url, role):
    return make_url(url).set(username=role, password=PASSWORD).render_as_string(hide_password=False)


def deployed(postgres, package):
    """(superuser's, owner's, runtime role's) URL of a fresh database, migrated by its owner."""
    url = postgres.create_database()
    owner, runtime = rights_around(url, package)
    migrations.upgrade(load(package), owner, package)
    return url, owner, runtime


def create_tables(service: Service, url: str) -> str:
    """Make the tables of a service that has no migrations, in the database at the superuser's `url`.

    They belong to its owner, as migrations would leave them; returns the URL of the role that runs it.
    """
    owner, runtime = rights_around(url, service.name)
    engine = create_engine(owner)
    with engine.begin() as conn:
        service.metadata.create_all(conn)
        conn.exec_driver_sql("create table alembic_version (version_num text)")
        rights.grant(conn, list(service.metadata.tables.values()), service.followed, service.name)
    engine.dispose()
    superusers[runtime] = url
    return runtime


def _plain(url):
    return url.replace("+psycopg", "", 1)
