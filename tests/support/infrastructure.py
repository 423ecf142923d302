"""The servers that tests run against, and how they are found.

In this order: URLs in the environment (APOTHECA_TEST_POSTGRES_URL; APOTHECA_TEST_AMQP_URL with
APOTHECA_TEST_MANAGEMENT_URL), Docker, private servers on this machine.
APOTHECA_TEST_SERVERS=docker|private forces one of the last two.
A server that cannot be had fails the test with one sentence; it never skips it.
"""

import os
import shutil
import subprocess
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import make_url

from apotheca.postgres import FORGETFUL, Postgres, PostgresFailed
from tests.support import roles
from tests.support.brokers import ContainerBroker, GivenBroker, PrivateBroker, RabbitMQ, private_programs
from tests.support.eventually import eventually

# Every container is removed by the fixture that made it; the reaper's image need not be fetched.
os.environ.setdefault("TESTCONTAINERS_RYUK_DISABLED", "true")

POSTGRES_IMAGE = "postgres:17"
FAST = [part for name, value in FORGETFUL.items() for part in ("-c", f"{name}={value}")]


@cache
def kind_of_servers() -> str:
    """Return "docker" or "private"."""
    forced = os.environ.get("APOTHECA_TEST_SERVERS", "")
    if forced in {"docker", "private"}:
        return forced
    if forced:
        pytest.exit(f"APOTHECA_TEST_SERVERS is {forced!r}; it may be `docker` or `private`.", returncode=4)
    return "docker" if docker_answers() else "private"


@cache
def docker_answers() -> bool:
    """Say whether a Docker engine is there for us."""
    if shutil.which("docker") is None:
        return False
    with suppress(subprocess.TimeoutExpired):
        return (
            subprocess.run(["docker", "info"], capture_output=True, check=False, timeout=20).returncode == 0
        )
    return False


class TestPostgres:
    """A PostgreSQL server: databases to order, and template databases cloned in milliseconds."""

    __test__ = False

    def __init__(self, admin_url: str) -> None:
        self.admin_url = admin_url

    def url(self, name: str) -> str:
        return make_url(self.admin_url).set(database=name).render_as_string(hide_password=False)

    def create_database(
        self, name: str | None = None, *, template: str = "template0", owner: str | None = None
    ) -> str:
        """Create a database (a fresh name unless given) and return its SQLAlchemy URL, the superuser's."""
        chosen = name or f"t_{uuid4().hex[:12]}"
        self._run(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {}").format(
                sql.Identifier(chosen),
                sql.Identifier(template),
                sql.Identifier(owner) if owner else sql.SQL("DEFAULT"),
            )
        )
        return self.url(chosen)

    def drop_database(self, name_or_url: str) -> None:
        """Drop the database with whatever is still connected to it."""
        name = make_url(name_or_url).database if "://" in name_or_url else name_or_url
        self._run(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def is_ready(self) -> bool:
        with psycopg.connect(_conninfo(self.admin_url), connect_timeout=2):
            return True

    def _run(self, statement: sql.Composed) -> None:
        with psycopg.connect(_conninfo(self.admin_url), autocommit=True) as conn:
            conn.execute(statement)


def _conninfo(sqlalchemy_url: str) -> str:
    return sqlalchemy_url.replace("postgresql+psycopg://", "postgresql://", 1)


class MigratedDatabases:
    """Databases with a service's tables: migrated once per session by their owner, then cloned.

    What a test is given is what a service is given: the URL of the role that runs it and owns nothing, so that a
    right which no table declares is missed by the test of that path. `roles.behind(database)` is for fixtures and
    for tampering.
    """

    def __init__(self, server: TestPostgres) -> None:
        self._server = server
        self._templates: dict[str, str] = {}

    def clone(self, package: str) -> str:
        """Return the runtime role's URL of a fresh database migrated to the head of `package` ("finance")."""
        if package not in self._templates:
            name = f"template_{package}_{uuid4().hex[:8]}"
            owner, _ = roles.rights_around(self._server.create_database(name), package)
            migrate(package, owner, package)
            self._templates[package] = name
        url = self._server.create_database(template=self._templates[package], owner=f"{package}_owner")
        runtime = roles.as_role(url, package)
        roles.superusers[runtime] = url
        return runtime

    def drop(self, url: str) -> None:
        self._server.drop_database(url)


def migrate(package: str, url: str, role: str | None = None) -> None:
    """Bring the database at `url` to the newest migration of `package`, and leave no connection behind."""
    from shared import migrations
    from shared.service import load

    migrations.upgrade(load(package), url, role)


def open_postgres(stack) -> TestPostgres:
    """Return a running PostgreSQL; `stack` (an ExitStack) takes it down."""
    if given := os.environ.get("APOTHECA_TEST_POSTGRES_URL"):
        return TestPostgres(given)
    if kind_of_servers() == "docker":
        return _postgres_in_docker(stack)
    return _private_postgres(stack)


def open_rabbitmq(stack) -> RabbitMQ:
    """Return a running RabbitMQ; `stack` (an ExitStack) takes it down."""
    if given := os.environ.get("APOTHECA_TEST_AMQP_URL"):
        return RabbitMQ(GivenBroker(given, os.environ["APOTHECA_TEST_MANAGEMENT_URL"]))
    broker = RabbitMQ(ContainerBroker() if kind_of_servers() == "docker" else PrivateBroker())
    stack.callback(broker.remove)
    broker.start()
    return broker


def open_tls_rabbitmq(stack, files: Path) -> RabbitMQ:
    """Return a RabbitMQ of our own that also takes TLS with the certificate in `files` (see tests.support.tls)."""
    in_container = kind_of_servers() == "docker" or private_programs() is None
    broker = RabbitMQ(ContainerBroker(files) if in_container else PrivateBroker(files))
    stack.callback(broker.remove)
    broker.start()
    return broker


def _postgres_in_docker(stack) -> TestPostgres:
    from testcontainers.core.container import DockerContainer

    container = (
        DockerContainer(POSTGRES_IMAGE)
        .with_env("POSTGRES_PASSWORD", "test")
        .with_command(["postgres", *FAST])
        .with_exposed_ports(5432)
    )
    stack.callback(container.stop)
    container.start()
    server = TestPostgres(
        f"postgresql+psycopg://postgres:test@127.0.0.1:{container.get_exposed_port(5432)}/postgres"
    )
    eventually(server.is_ready, within_s=60, every_s=0.2)
    return server


def _private_postgres(stack) -> TestPostgres:
    folder = Path(tempfile.mkdtemp(prefix="apotheca-pg-"))
    stack.callback(shutil.rmtree, folder, ignore_errors=True)
    try:
        server = Postgres(folder, FORGETFUL)
        stack.callback(server.stop)
        server.start()
    except PostgresFailed as failure:
        pytest.fail(str(failure), pytrace=False)
    return TestPostgres(server.url("postgres"))
