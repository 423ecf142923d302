"""The edge: one transaction per command, replayed answers, problem documents, branch and role checks.

A tiny service that keeps counters stands in for any service.
"""

import threading
from base64 import urlsafe_b64encode
from uuid import uuid4

import pytest
from marshmallow import Schema, fields, validate
from sqlalchemy import BigInteger, Column, Table, Text, text
from werkzeug.serving import make_server

from shared import audit, outbox
from shared.app import new_app
from shared.arguments import Blueprint
from shared.clock import business_date
from shared.database import new_metadata
from shared.errors import Conflict, TooMany
from shared.events import Event
from shared.identity import LocalIssuer, Verifier
from shared.service import Service
from shared.settings import Settings
from shared.tables import mechanism_tables
from shared.web import admits, command, query

METADATA = new_metadata()
mechanism_tables(METADATA)
Table(
    "counters", METADATA, Column("name", Text, primary_key=True), Column("value", BigInteger, nullable=False)
)
blp = Blueprint("counters", __name__, url_prefix="/counters")


class CounterFull(Conflict):
    code = "counter_full"


class StepBody(Schema):
    by = fields.Integer(required=True, strict=True, validate=validate.Range(1, 10))
    branch_id = fields.String(required=True)


class CounterView(Schema):
    name = fields.String()
    value = fields.Integer()


@blp.post("/<name>/steps")
@command
@admits("till")
@blp.arguments(StepBody)
@blp.response(201, CounterView)
def step(tx, body, name):
    """Add to a counter that holds at most 100."""
    tx.actor.require_branch(body["branch_id"])
    value = tx.conn.execute(
        text(
            "insert into counters values (:name, :by)"
            " on conflict (name) do update set value = counters.value + :by returning value"
        ),
        {"name": name, "by": body["by"]},
    ).scalar_one()
    outbox.append(
        tx,
        Event(type="demo.counter.stepped.v1", subject=name, version=value, day=business_date(tx.now), data={"by": body["by"]}),
    )  # fmt: skip
    audit.record(tx, "counter.step", name, after=value)
    if value > 100:
        raise CounterFull("a counter holds at most 100")
    return {"name": name, "value": value}


@blp.get("/<name>")
@query
@admits("till", "management")
@blp.response(200, CounterView)
def read(tx, name):
    return {
        "name": name,
        "value": tx.conn.execute(text("select value from counters where name = :n"), {"n": name}).scalar(),
    }


@blp.get("/of/<int(min=2000, max=2099):year>")
@query
@admits("till")
@blp.response(200, CounterView)
def of_year(tx, year):
    return {"name": str(year), "value": 0}


@blp.post("/<name>/valueless")
@command
@admits("till")
def valueless(tx, name):
    tx.conn.execute(text("insert into counters (name) values (:name)"), {"name": name})


@blp.post("/broken")
@command
@admits("till")
def broken(tx):
    raise RuntimeError("a bug")


@blp.get("/crowded")
@query
@admits("till")
def crowded(tx):
    raise TooMany("enough are here already", retry_after_s=7)


@blp.get("/unguarded")
@query
def unguarded(tx):
    return {}


SERVICE = Service(name="demo", title="Demo", metadata=METADATA, blueprints=[blp])


@pytest.fixture(scope="module")
def issuer(tmp_path_factory):
    return LocalIssuer(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="module")
def app(postgres, issuer):
    app = new_app(SERVICE, Settings(database_url=postgres.create_database(), jwks=str(issuer.jwks)))
    METADATA.create_all(app.extensions["database"].engine)
    yield app
    app.extensions["database"].dispose()


@pytest.fixture
def client(app):
    return app.test_client()


@pytest.fixture
def till(issuer):
    return {"Authorization": f"Bearer {issuer.token('till-1', ['till'], ['B1'])}"}


def stepped(client, headers, name, *, by=1, key=None, branch_id="B1", **extra):
    return client.post(
        f"/v1/counters/{name}/steps",
        json={"by": by, "branch_id": branch_id},
        headers={**headers, "Idempotency-Key": key or str(uuid4()), **extra},
    )


def count(app, table, where="true", **values):
    with app.extensions["database"].begin() as conn:
        return conn.execute(text(f"select count(*) from {table} where {where}"), values).scalar_one()


def test_a_command_commits_its_state_its_event_and_its_audit_together(app, client, till):
    assert stepped(client, till, "together", by=3).json == {"name": "together", "value": 3}
    assert count(app, "outbox", "subject = 'together'") == 1
    assert count(app, "audit", "subject = 'together' and actor = 'till-1'") == 1
    assert client.get("/v1/counters/together", headers=till).json["value"] == 3


def test_a_refusal_changes_nothing(app, client, till):
    for _ in range(10):
        assert stepped(client, till, "full", by=10).status_code == 201
    refused = stepped(client, till, "full", by=1)
    assert (refused.status_code, refused.json["code"]) == (409, "counter_full")
    assert refused.mimetype == "application/problem+json"
    assert client.get("/v1/counters/full", headers=till).json["value"] == 100
    assert count(app, "outbox", "subject = 'full'") == 10


def test_the_same_key_and_body_replays_the_stored_answer(client, till):
    first = stepped(client, till, "replay", key="k-replay")
    second = stepped(client, till, "replay", key="k-replay")
    assert second.json == first.json
    assert second.status_code == first.status_code
    assert second.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers


def test_the_same_key_with_another_body_is_refused(client, till):
    stepped(client, till, "reuse", key="k-reuse")
    assert stepped(client, till, "reuse", by=2, key="k-reuse").json["code"] == "idempotency_key_reused"
    assert stepped(client, till, "other", key="k-reuse").json["code"] == "idempotency_key_reused"


def test_keys_of_two_actors_do_not_meet(client, till, issuer):
    other = {"Authorization": f"Bearer {issuer.token('till-2', ['till'], ['B1'])}"}
    assert stepped(client, till, "actors", key="k-actors").json["value"] == 1
    assert stepped(client, other, "actors", key="k-actors").json["value"] == 2


def test_one_key_sent_by_twenty_threads_at_once_counts_once(app, till):
    barrier, answers = threading.Barrier(20), []

    def send():
        barrier.wait()
        answers.append(stepped(app.test_client(), till, "race", key="k-race"))

    threads = [threading.Thread(target=send) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status_code for answer in answers} == {201}
    assert {answer.json["value"] for answer in answers} == {1}
    assert count(app, "outbox", "subject = 'race'") == 1


@pytest.mark.parametrize("key", ["", "with space", "x" * 129])
def test_a_write_needs_a_key(client, till, key):
    answer = client.post(
        "/v1/counters/a/steps", json={"by": 1, "branch_id": "B1"}, headers={**till, "Idempotency-Key": key}
    )
    assert (answer.status_code, answer.json["code"]) == (422, "idempotency_key_missing")


def test_all_faults_of_a_payload_are_told_at_once_with_their_paths(client, till):
    answer = client.post(
        "/v1/counters/a/steps", json={"by": "x", "extra": 1}, headers={**till, "Idempotency-Key": "k-faults"}
    )
    assert (answer.status_code, answer.json["code"]) == (422, "payload_invalid")
    assert {fault["path"] for fault in answer.json["errors"]} == {"by", "branch_id", "extra"}


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [(b"{", "application/json", 400), (b'{"by": 1}', "text/plain", 415), (b"[]", "application/json", 422),
     (b"\xff\xfe", "application/json", 400), (b"x" * 2_000_000, "application/json", 413)],
)  # fmt: skip
def test_a_body_that_cannot_be_read_is_refused(client, till, body, kind, status):
    answer = client.post(
        "/v1/counters/a/steps", data=body, content_type=kind, headers={**till, "Idempotency-Key": "k-bad"}
    )
    assert answer.status_code == status, answer.json
    assert answer.mimetype == "application/problem+json"


def test_an_address_that_is_no_text_is_refused(client, till):
    for odd, escaped in (("\x00", "%00"), ("\xed\xa0\x80", "%ED%A0%80"), ("\xff", "%FF")):
        path = f"/v1/counters/odd{odd}"  # bytes, as a server hands them on
        for answer in (
            client.get("/v1/counters/odd", headers=till, environ_overrides={"PATH_INFO": path}),
            client.get(f"/v1/counters/odd?cursor={escaped}", headers=till),
        ):
            assert (answer.status_code, answer.json["code"]) == (400, "address_not_text")


def test_a_foreign_branch_is_refused(client, till):
    answer = stepped(client, till, "foreign", branch_id="B2")
    assert (answer.status_code, answer.json["code"]) == (403, "foreign_branch")


def test_a_role_that_is_not_admitted_is_refused(client, issuer):
    manager = {"Authorization": f"Bearer {issuer.token('m', ['management'])}"}
    assert stepped(client, manager, "role").json["code"] == "role_not_admitted"


def test_without_a_token_nothing_is_said_about_the_payload(client):
    answer = client.post("/v1/counters/a/steps", json={})
    assert (answer.status_code, answer.json["code"]) == (401, "token_missing")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_unknown_addresses_and_methods_answer_as_problems(client, till):
    assert client.get("/v1/nothing").json["code"] == "no_such_address"
    answer = client.delete("/v1/counters/a", headers=till)
    assert (answer.status_code, answer.json["code"]) == (405, "method_not_allowed")
    assert "GET" in answer.headers["Allow"]


def test_one_too_many_is_told_when_to_come_again(client, till):
    answer = client.get("/v1/counters/crowded", headers=till)
    assert (answer.status_code, answer.json["code"], answer.headers["Retry-After"]) == (429, "too_many", "7")


def test_a_bug_shows_no_traceback(client, till):
    answer = client.post("/v1/counters/broken", headers={**till, "Idempotency-Key": "k-bug"})
    assert (answer.status_code, answer.json["code"]) == (500, "internal")
    assert "RuntimeError" not in answer.text


def test_the_log_of_a_database_error_quotes_no_row(client, till, capsys):
    headers = {**till, "Idempotency-Key": "k-row"}
    answer = client.post("/v1/counters/张三丰/valueless", headers=headers)
    assert (answer.status_code, answer.json["code"]) == (500, "internal")
    told = capsys.readouterr()
    assert "NotNullViolation" in told.out + told.err
    assert "张三丰" not in told.out + told.err


def test_a_path_argument_with_bounds_is_documented(app):
    assert "/v1/counters/of/{year}" in app.extensions["openapi"]["paths"]


def test_a_route_that_declares_no_roles_lets_nobody_in(client, till):
    assert client.get("/v1/counters/unguarded", headers=till).status_code == 500


def test_request_id_is_echoed_or_made_and_reaches_the_event(app, client, till):
    answer = stepped(
        client,
        till,
        "trace",
        **{"X-Request-ID": "req-1", "traceparent": "00-" + "a" * 32 + "-" + "b" * 16 + "-01"},
    )
    assert answer.headers["X-Request-ID"] == "req-1"
    assert (
        count(app, "outbox", "correlation_id = 'req-1' and traceparent like :t", t="00-" + "a" * 32 + "%")
        == 1
    )
    assert (
        len(
            client.get("/healthz", headers={"X-Request-ID": "bad id\n".strip() + " x"}).headers[
                "X-Request-ID"
            ]
        )
        == 32
    )


def test_health_metrics_and_documentation_are_public(client):
    assert client.get("/healthz").json["status"] == "alive"
    assert b"apotheca_request_seconds" in client.get("/metrics").data
    document = client.get("/openapi.json").json
    operation = document["paths"]["/v1/counters/{name}/steps"]["post"]
    assert operation["x-roles"] == ["till"]
    assert any(parameter.get("name") == "Idempotency-Key" for parameter in operation["parameters"])
    assert client.get("/docs").status_code == 200
    assert client.get("/docs/swagger-ui-bundle.js").status_code == 200


def test_a_database_that_is_down_is_a_passing_trouble(issuer, till):
    app = new_app(
        SERVICE, Settings(database_url="postgresql+psycopg://x@127.0.0.1:9/x", jwks=str(issuer.jwks))
    )
    answer = stepped(app.test_client(), till, "down")
    assert (answer.status_code, answer.json["code"]) == (503, "database_unavailable")
    assert answer.headers["Retry-After"] == "2"
    assert app.test_client().get("/readyz").status_code == 503


def test_a_token_of_another_key_expired_or_unsigned_is_refused_as_a_problem(client, issuer, tmp_path):
    stranger = LocalIssuer(tmp_path).token("wang", ["till"])
    body = issuer.token("wang", ["till"]).split(".")[1]
    header = urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip("=")
    unsigned = f"{header}.{body}."
    expired = issuer.token("wang", ["till"], lifetime_s=-3_600)
    for token, code in ((stranger, "token_invalid"), (unsigned, "token_invalid"), (expired, "token_expired")):
        answer = stepped(client, {"Authorization": f"Bearer {token}"}, "tokens")
        assert (answer.status_code, answer.json["code"]) == (401, code)
        assert answer.mimetype == "application/problem+json"
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_keys_are_read_from_an_address_too_and_anew_when_a_token_names_another(tmp_path, monkeypatch):
    old, new = LocalIssuer(tmp_path / "old"), LocalIssuer(tmp_path / "new")
    served = [old.jwks.read_bytes()]

    def serve(_, start):
        start("200 OK", [("Content-Type", "application/json")])
        return served[-1:]

    server = make_server("127.0.0.1", 0, serve)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        url = f"http://127.0.0.1:{server.server_port}/jwks"
        verifier = Verifier(jwks=url, issuer=old.issuer, audience=old.audience)
        assert verifier.actor(f"Bearer {old.token('wang', ['till'])}").id == "wang"
        served.append(new.jwks.read_bytes())
        monkeypatch.setattr("shared.identity.JWKS_RETRY_MIN_S", 0)
        assert verifier.actor(f"Bearer {new.token('li', ['till'])}").id == "li"
    finally:
        server.shutdown()
        server.server_close()
