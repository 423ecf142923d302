"""A finance service of its own for each module: it has heard all that customers had to say."""

import pytest

from tests.support.finance_builders import Office
from tests.support.watermarks import level_with


@pytest.fixture(scope="module")
def office(migrated_database, tmp_path_factory):
    office = Office(migrated_database("finance"), tmp_path_factory.mktemp("keys"))
    level_with(office.database, "customers")
    yield office
    office.close()
