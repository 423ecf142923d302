"""Whatever is sent, no service answers 500, and what it answers is what its OpenAPI document says."""

import os
from itertools import islice
from uuid import uuid4

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from shared.app import new_app
from shared.identity import LocalIssuer
from shared.service import load
from shared.settings import SERVICES, Settings

EXAMPLES_MAX = int(os.environ.get("APOTHECA_TEST_EXAMPLES", "12"))
"""Per operation and kind of input; raise it for a longer hunt."""
PARTS = {"finance": 4, "customers": 2}
"""A service of many routes is hunted in parts: a failure names its part, and no test takes minutes."""
CHECKS = (status_code_conformance, content_type_conformance, response_schema_conformance)
MASTER_KEY = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
schemathesis.serializer.alias("application/x-ndjson", "text/plain")


@pytest.fixture(scope="module")
def issuer(tmp_path_factory):
    return LocalIssuer(tmp_path_factory.mktemp("keys"))


@pytest.mark.parametrize(
    ("package", "part"), [(package, part) for package in SERVICES for part in range(PARTS.get(package, 1))]
)
def test_no_input_makes_a_500_or_breaks_the_document(package, part, migrated_database, issuer):
    app = new_app(
        load(package),
        Settings(
            database_url=migrated_database(package),
            jwks=str(issuer.jwks),
            master_key=MASTER_KEY,
            feeds={},
            feed_token="none",
        ),
    )
    schema = schemathesis.openapi.from_wsgi("/openapi.json", app)
    schema.config.generation.update(with_security_parameters=False)
    _forget_what_is_sent_anyway(schema.raw_schema)
    tried = 0
    for result in islice(schema.get_all_operations(), part, None, PARTS.get(package, 1)):
        operation = result.ok()
        roles = operation.definition.raw.get("x-roles") or []
        headers = {"Authorization": f"Bearer {issuer.token('tester', roles[:1])}"} if roles else {}
        tried += _hunt(operation, GenerationMode.POSITIVE, headers)
        if operation.definition.raw.get("parameters") or operation.body:
            tried += _hunt(operation, GenerationMode.NEGATIVE, headers)
    app.extensions["database"].dispose()
    assert tried > 0


def _forget_what_is_sent_anyway(document):
    """A header that every request carries is not worth inventing: as the one thing wrong it would be put right.

    Nor is there another server than the application itself.
    """
    document.pop("servers")
    for path in document["paths"].values():
        for operation in path.values():
            if isinstance(operation, dict) and "parameters" in operation:
                operation["parameters"] = [
                    each for each in operation["parameters"] if each.get("name") != "Idempotency-Key"
                ]


def _hunt(operation, mode, headers):
    tried = 0

    @settings(
        max_examples=EXAMPLES_MAX,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def attempt(case):
        nonlocal tried
        tried += 1
        response = case.call(headers={**headers, "Idempotency-Key": str(uuid4())})
        # 503 is an answer ("ask again", with Retry-After and in the document); 500 and its like are faults.
        assert response.status_code < 500 or "retry-after" in response.headers, response.text
        case.validate_response(response, checks=list(CHECKS))

    attempt()
    return tried
