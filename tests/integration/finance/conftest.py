"""A finance service of its own for each module."""

import pytest

from tests.support.finance_builders import Office


@pytest.fixture(scope="module")
def office(migrated_database, tmp_path_factory):
    office = Office(migrated_database("finance"), tmp_path_factory.mktemp("keys"))
    yield office
    office.close()
