from collections.abc import Iterator
from uuid import uuid4

import httpx
import pytest

from tests.support.reporting_system import System, running


@pytest.fixture(scope="module")
def system(postgres, migrated_database, tmp_path_factory) -> Iterator[System]:
    with running(postgres, migrated_database("reporting"), tmp_path_factory.mktemp("issuer")) as started:
        yield started


@pytest.fixture(scope="module")
def asking(system):
    """Ask the service over HTTP as somebody with one role."""
    with httpx.Client(base_url=f"{system.url}/v1", trust_env=False, timeout=30) as client:

        def ask(method, path, role, body=None, *, branches=("*",), person=None, content=None, kind=None):
            token = system.issuer.token(person or f"the-{role}", [role], list(branches))
            headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": uuid4().hex}
            if content is not None:
                sent = {"content": content, "headers": headers | {"Content-Type": kind}}
            else:
                sent = {"json": body, "headers": headers}
            return client.request(method, path, **sent)

        yield ask
