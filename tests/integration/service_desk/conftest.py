"""A service desk on a real database, and people to work at it."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from service_desk.app import SERVICE
from shared.app import new_app
from shared.database import Database
from shared.identity import Actor, LocalIssuer
from shared.settings import Settings
from shared.transaction import Tx

RECEIVED = datetime(2026, 6, 1, 2, 0, tzinfo=UTC)
"""A Monday morning whose calendar is known; commands of the tests happen around it."""


class Desk:
    """The desk over HTTP, and its database."""

    def __init__(self, app, issuer):
        self.app = app
        self.issuer = issuer
        self.database = app.extensions["database"]

    def call(self, method, path, body=None, *, person="agent", roles=("cs_agent",), branches=("*",)):
        return self.app.test_client().open(
            f"/v1{path}",
            method=method,
            json=body,
            headers={
                "Authorization": f"Bearer {self.issuer.token(person, list(roles), list(branches))}",
                "Idempotency-Key": uuid4().hex,
            },
        )

    def as_manager(self, method, path, body=None):
        return self.call(method, path, body, person="manager", roles=("cs_manager",))

    def rows(self, statement, **parameters):
        from sqlalchemy import text

        with self.database.begin() as conn:
            return [dict(row) for row in conn.execute(text(statement), parameters).mappings()]

    def facts(self, subject):
        """What was told of an aggregate, in order."""
        rows = self.rows(
            "select type, version, data from outbox where subject = :subject order by version",
            subject=str(subject),
        )
        return [(row["type"].split(".", 1)[1], row["data"]) for row in rows]

    def at(self, now, work, *, person="manager", roles=("cs_manager",)):
        """Run `work(tx)` as if it were `now`."""
        actor = Actor(person, frozenset(roles), frozenset({"*"}))
        with self.database.begin() as conn:
            return work(Tx(conn=conn, actor=actor, now=now))

    def opened(self, **odd):
        body = {
            "kind": "complaint",
            "channel": "phone",
            "branch_id": "B001",
            "customer_id": f"c-{uuid4().hex[:8]}",
            "subject": "The box was open",
            "received_at": RECEIVED.isoformat(),
            **odd,
        }
        answer = self.call("POST", "/tickets", body)
        assert answer.status_code == 201, answer.text
        return answer.json

    def resolved(self, **odd):
        """A ticket taken through to its resolution by the agent."""
        ticket = self.opened(**odd)
        path = f"/tickets/{ticket['ticket_id']}"
        for call, step, body in (
            (self.as_manager, "assign", {"handler": "agent", "role": "cs_agent"}),
            (self.call, "contacts", {"channel": "phone", "reached": True}),
            (self.call, "propose", {"solution": "A new box"}),
            (self.call, "answer", {"answer": "accepted"}),
            (self.call, "execute", None),
            (self.call, "resolve", {"cause": "packaging", "fault": "ours", "resolution": "Replaced"}),
        ):
            answer = call("POST", f"{path}/{step}", body)
            assert answer.status_code == 200, answer.text
        return answer.json

    def surveyed(self, ticket_id, **odd):
        answer = self.call("POST", "/surveys", {"ticket_id": ticket_id, **odd})
        assert answer.status_code == 201, answer.text
        return answer.json


@pytest.fixture(scope="module")
def desk(migrated_database, tmp_path_factory):
    issuer = LocalIssuer(tmp_path_factory.mktemp("keys"))
    app = new_app(SERVICE, Settings(database_url=migrated_database("service_desk"), jwks=str(issuer.jwks)))
    yield Desk(app, issuer)
    app.extensions["database"].dispose()


@pytest.fixture(scope="module")
def bare_database(migrated_database):
    database = Database(migrated_database("service_desk"))
    yield database
    database.dispose()
