"""A service's database as a deployment has it: one role that owns, one that runs."""

from importlib.resources import files

import psycopg
from psycopg import sql
from sqlalchemy import make_url

from shared import migrations
from shared.service import load

PASSWORD = "of-a-test"


def rights_around(postgres, url, package):
    """Run rights.sql in the database, as superuser; returns the URLs of owner and runtime role."""
    with psycopg.connect(_plain(url), autocommit=True) as conn:
        conn.execute("select set_config('rights.service', %s, false)", [package])
        conn.execute((files("shared") / "rights.sql").read_bytes())
        for role in (package, f"{package}_owner"):
            conn.execute(
                sql.SQL("alter role {} password {}").format(sql.Identifier(role), sql.Literal(PASSWORD))
            )
    return as_role(url, f"{package}_owner"), as_role(url, package)


def as_role(url, role):
    return make_url(url).set(username=role, password=PASSWORD).render_as_string(hide_password=False)


def deployed(postgres, package):
    """(superuser's, owner's, runtime role's) URL of a fresh database, migrated by its owner."""
    url = postgres.create_database()
    owner, runtime = rights_around(postgres, url, package)
    migrations.upgrade(load(package), owner, package)
    return url, owner, runtime


def _plain(url):
    return url.replace("+psycopg", "", 1)
