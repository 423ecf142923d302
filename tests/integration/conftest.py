"""Beside every finance stand customers and returns that have nothing to tell, once per worker."""

import pytest

from tests.support import quiet


@pytest.fixture(scope="session", autouse=True)
def quiet_sources(postgres, tmp_path_factory):
    made = []

    def make_database():
        made.append(postgres.create_database())
        return made[-1]

    with quiet.sources(make_database, tmp_path_factory.mktemp("quiet")):
        yield
    for url in made:
        postgres.drop_database(url)
