"""Marks each test by its folder, and offers the servers; the work is done in tests/support/."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from flask import Flask
from hypothesis import HealthCheck, settings

from tests.support.brokers import RabbitMQ
from tests.support.infrastructure import (
    MigratedDatabases,
    TestPostgres,
    kind_of_servers,
    open_postgres,
    open_rabbitmq,
)
from tests.support.judged import JudgedClient
from tests.support.published import require_as_published

TESTS = Path(__file__).parent
LEVELS = {"unit", "integration", "contract", "e2e", "fault"}

# A machine that is busy with other tests is no reason for a property to fail.
settings.register_profile("apotheca", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("apotheca")

Flask.test_client_class = JudgedClient  # every answer of every test is as documented


def pytest_report_header() -> str:
    kind = kind_of_servers()
    return f"servers: {kind}" + (
        "" if kind == "docker" else "; the composed system is not tested (no Docker)"
    )


collect_ignore = (
    []
    if kind_of_servers() == "docker"
    else [
        "e2e/test_scaling.py",
        "e2e/test_containers_at_rest.py",
    ]
)
"""What only the composed system shows; the header of a run says when that is not tested."""

LONG = ("test_any_input.py", "test_nemesis.py", "test_random_year.py", "test_demo.py", "test_journey.py")
"""Files begun first, so that no worker is left with one of them when the others are done."""

TIMING_ALONE = os.environ.get("APOTHECA_TEST_TIMING") == "alone"
"""Whether this run has the machine to itself and takes the tests that compare durations, and only those."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    taken, left = [], []
    for item in items:
        is_timing = item.get_closest_marker("timing") is not None
        (taken if is_timing == TIMING_ALONE else left).append(item)
    if left:
        config.hook.pytest_deselected(items=left)
    items[:] = taken
    items.sort(key=lambda item: LONG.index(item.path.name) if item.path.name in LONG else len(LONG))
    for item in items:
        level = item.path.relative_to(TESTS).parts[0]
        if level not in LEVELS:
            raise pytest.UsageError(
                f"{item.path}: a test lives in one of tests/{{{','.join(sorted(LEVELS))}}}/"
            )
        item.add_marker(level)
        if level == "unit":
            item.add_marker(pytest.mark.disable_socket)


@pytest.fixture(scope="session")
def postgres() -> Iterator[TestPostgres]:
    """A PostgreSQL server: `.create_database()` returns a SQLAlchemy URL."""
    with ExitStack() as stack:
        yield open_postgres(stack)


@pytest.fixture(scope="session")
def rabbitmq() -> Iterator[RabbitMQ]:
    """A RabbitMQ server: `.vhost()` returns the URL of a virtual host nobody else uses; `.kill()`, `.start()`."""
    with ExitStack() as stack:
        yield open_rabbitmq(stack)


@pytest.fixture(scope="module")
def make_folder() -> Iterator[Callable[[], Path]]:
    """Call it for a folder where a server may keep data, removed after the module.

    Not below pytest's own: every test run shuts that one to other accounts, also while PostgreSQL uses it.
    """
    with ExitStack() as stack:
        yield lambda: Path(stack.enter_context(TemporaryDirectory(prefix="apotheca-")))


@pytest.fixture(scope="session")
def database_templates(postgres: TestPostgres) -> MigratedDatabases:
    return MigratedDatabases(postgres)


@pytest.fixture(scope="module")
def migrated_database(database_templates: MigratedDatabases) -> Iterator[Callable[[str], str]]:
    """Call it with a package ("finance"): the URL of a fresh, migrated database, dropped after the module.

    Before it is dropped, every event in its outbox is held against the published schemas.
    """
    with ExitStack() as stack:

        def fresh(package: str) -> str:
            url = database_templates.clone(package)
            stack.callback(database_templates.drop, url)
            stack.callback(require_as_published, url)
            return url

        yield fresh
