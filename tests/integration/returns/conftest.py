"""One counter per module: a migrated database, the application over it, keys to sign in with."""

import pytest

from tests.support.returns_builders import Counter


@pytest.fixture(scope="module")
def counter(migrated_database, tmp_path_factory):
    counter = Counter(migrated_database("returns"), tmp_path_factory.mktemp("keys"))
    yield counter
    counter.close()
