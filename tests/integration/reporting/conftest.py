from collections.abc import Iterator

import pytest

from tests.support.reporting_system import System, running


@pytest.fixture(scope="module")
def system(postgres, migrated_database, tmp_path_factory) -> Iterator[System]:
    with running(postgres, migrated_database("reporting"), tmp_path_factory.mktemp("issuer")) as started:
        yield started
