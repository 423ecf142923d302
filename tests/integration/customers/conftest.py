"""The customers service on a database of its own, and tokens for every post."""

import base64
from uuid import uuid4

import pytest
from sqlalchemy import text

from customers.app import SERVICE
from shared.app import new_app
from shared.clock import utc_now
from shared.database import Database
from shared.identity import LocalIssuer, system_actor
from shared.settings import Settings
from shared.transaction import Tx


@pytest.fixture(scope="module")
def app(migrated_database, tmp_path_factory):
    issuer = LocalIssuer(tmp_path_factory.mktemp("keys"))
    made = new_app(
        SERVICE,
        Settings(
            database_url=migrated_database("customers"),
            jwks=str(issuer.jwks),
            master_key=base64.b64encode(bytes(range(32))).decode(),
        ),
    )
    made.extensions["issuer"] = issuer
    yield made
    made.extensions["database"].dispose()


@pytest.fixture(scope="module")
def database(app) -> Database:
    return app.extensions["database"]


class Caller:
    """Speaks to the service as one person; `person` differs per role unless given."""

    def __init__(self, app, role, branches=("*",), person=None):
        token = app.extensions["issuer"].token(person or f"{role}-1", [role], branches)
        self._client = app.test_client()
        self._headers = {"Authorization": f"Bearer {token}"}

    def get(self, path, **query):
        return self._client.get(f"/v1{path}", headers=self._headers, query_string=query)

    def send(self, method, path, body=None, key=None):
        headers = {**self._headers, "Idempotency-Key": key or str(uuid4())}
        return self._client.open(f"/v1{path}", method=method, headers=headers, json=body)

    def post(self, path, body=None, key=None):
        return self.send("POST", path, body, key)

    def upload(self, path, content):
        return self._client.post(
            f"/v1{path}", headers=self._headers, data=content, content_type="application/x-ndjson"
        )


@pytest.fixture(scope="module")
def caller(app):
    def speak(role, branches=("*",), person=None):
        return Caller(app, role, branches, person)

    return speak


@pytest.fixture
def events(database):
    """The events published since the test began: (type, data) in order."""
    with database.begin() as conn:
        start = conn.execute(text("select coalesce(max(id), 0) from outbox")).scalar_one()

    def published(event_type=None):
        with database.begin() as conn:
            rows = conn.execute(
                text("select type, data from outbox where id > :start order by id"), {"start": start}
            ).all()
        return [(row.type, row.data) for row in rows if event_type in (None, row.type)]

    return published


@pytest.fixture
def as_system(database):
    """Run `work(tx)` in one transaction as the service itself, at a moment of the test's choice."""

    def run(work, now=None):
        with database.begin() as conn:
            return work(Tx(conn=conn, actor=system_actor("customers"), now=now or utc_now()))

    return run
