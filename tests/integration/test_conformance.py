"""Five services, one behaviour: what every service owes its callers, asserted once for all of them."""

from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from shared import audit, chain, migrations
from shared.app import new_app
from shared.clock import utc_now
from shared.identity import LocalIssuer, system_actor
from shared.service import load
from shared.settings import SERVICES, Settings
from shared.transaction import Tx
from tests.support.roles import behind

MASTER_KEY = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="


@pytest.fixture(scope="module")
def issuer(tmp_path_factory):
    return LocalIssuer(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="module", params=SERVICES)
def app(request, migrated_database, issuer):
    app = new_app(
        load(request.param),
        Settings(
            database_url=migrated_database(request.param), jwks=str(issuer.jwks), master_key=MASTER_KEY, feed_token="none"
        ),
    )  # fmt: skip
    yield app
    app.extensions["database"].dispose()


def routes(app, method):
    """Every address of the API, with each argument filled in by something that is not there."""
    filled = {
        "uuid": str(uuid4()),
        "int": "999999",
        "default": "nothing",
        "string": "nothing",
        "date": "2026-01-01",
    }
    for rule in app.url_map.iter_rules():
        if method not in rule.methods or not rule.rule.startswith("/v1/"):
            continue
        path = rule.rule
        for name, converter in rule._converters.items():
            kind = type(converter).__name__.removesuffix("Converter").lower()
            kind = {"unicode": "string", "integer": "int"}.get(kind, kind)
            for prefix in ("", "uuid:", "int:", "string:", "date:"):
                path = path.replace(f"<{prefix}{name}>", filled.get(kind, "nothing"))
        yield path, app.view_functions[rule.endpoint]


def token_for(issuer, view, branches=("*",)):
    return {"Authorization": f"Bearer {issuer.token('tester', sorted(view.admitted_roles)[:1], branches)}"}


def test_it_is_alive_ready_and_measured(app):
    client = app.test_client()
    assert client.get("/healthz").status_code == 200
    assert client.get("/readyz").json["status"] == "ready"
    assert client.get("/metrics").status_code == 200


def test_every_address_asks_for_a_token(app):
    client = app.test_client()
    tried = 0
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        for path, view in routes(app, method):
            if view.admitted_roles is None:
                continue
            answer = client.open(path, method=method)
            assert (answer.status_code, answer.json["code"]) == (401, "token_missing"), path
            tried += 1
    assert tried > 3


def test_only_these_addresses_are_public(app):
    public = {
        rule.rule
        for rule in app.url_map.iter_rules()
        if getattr(app.view_functions[rule.endpoint], "admitted_roles", None) is None
    }
    pages = {"/sign-in", "/sign-out", "/static/<path:name>"}
    mine = pages if app.extensions["service"].name == "reporting" else set()
    documents = {"/openapi.json", "/docs", "/docs/start.js", "/docs/<path:name>"}
    assert public - mine == {"/healthz", "/readyz", "/metrics"} | documents


def test_every_address_refuses_a_role_it_does_not_name(app, issuer):
    client = app.test_client()
    for method in ("GET", "POST"):
        for path, view in routes(app, method):
            if view.admitted_roles is None:
                continue
            stranger = next(role for role in ("feed", "operator", "till") if role not in view.admitted_roles)
            headers = {"Authorization": f"Bearer {issuer.token('stranger', [stranger])}"}
            answer = client.open(path, method=method, headers=headers)
            assert (answer.status_code, answer.json["code"]) == (403, "role_not_admitted"), path


def test_every_command_needs_an_idempotency_key(app, issuer):
    client = app.test_client()
    for path, view in routes(app, "POST"):
        if getattr(view, "is_detached", False):
            continue
        assert getattr(view, "is_command", False), f"{path} is neither @command nor @detached"
        answer = client.post(path, json={}, headers=token_for(issuer, view))
        assert (answer.status_code, answer.json["code"]) == (422, "idempotency_key_missing"), path


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"x"', b"\xff", b'{"unheard_of": 1}'])
def test_a_body_that_makes_no_sense_is_a_problem_not_a_crash(app, issuer, body):
    client = app.test_client()
    for path, view in routes(app, "POST"):
        headers = {**token_for(issuer, view), "Idempotency-Key": str(uuid4())}
        answer = client.post(path, data=body, content_type="application/json", headers=headers)
        assert answer.status_code < 500, (path, body, answer.text)
        if answer.status_code >= 400:
            assert answer.mimetype == "application/problem+json", path
            assert answer.json["code"], path


PAGES_MAX = {"/v1/ageing-reports": 5_000}
"""Of a report that is read whole; a page of every other list holds 200 at most."""


def test_lists_refuse_pages_beyond_the_bound_and_cursors_of_others(app, issuer):
    client = app.test_client()
    for path, view in routes(app, "GET"):
        operation = app.extensions["openapi"]["paths"].get(path, {}).get("get", {})
        parameters = {each["name"]: each["schema"] for each in operation.get("parameters", [])}
        if "cursor" not in parameters:
            continue
        headers = token_for(issuer, view)
        assert parameters["limit"]["maximum"] == PAGES_MAX.get(path, 200), path
        beyond = {"limit": parameters["limit"]["maximum"] + 1}
        assert client.get(path, query_string=beyond, headers=headers).status_code == 422, path
        assert client.get(path, query_string={"limit": 0}, headers=headers).status_code == 422, path
        assert client.get(path, query_string={"cursor": "bm9uc2Vuc2U"}, headers=headers).status_code == 422, (
            path
        )


def test_what_is_not_there_is_not_found(app, issuer):
    client = app.test_client()
    for path, view in routes(app, "GET"):
        if view.admitted_roles is None:
            continue
        answer = client.get(path, headers=token_for(issuer, view))
        assert answer.status_code < 500, (path, answer.text)


@pytest.mark.parametrize("path", ["//v1//x", "//v1/x", "/v1//x", "//health//live", "/internal//head"])
def test_an_address_with_doubled_slashes_is_a_problem_and_no_redirect(app, path):
    # As a server hands it over; a client would take what follows two slashes for a host.
    answer = app.test_client().get("/", environ_overrides={"PATH_INFO": path})
    assert (answer.status_code, answer.json["code"]) == (404, "no_such_address"), answer.text
    assert answer.content_type == "application/problem+json"


def test_the_internal_feed_admits_the_feed_role_alone(app, issuer):
    client = app.test_client()
    manager = {"Authorization": f"Bearer {issuer.token('m', ['management'])}"}
    feed = {"Authorization": f"Bearer {issuer.token('f', ['feed'])}"}
    for path in (
        "/internal/events?after=0&limit=10",
        "/internal/head",
        "/internal/control-totals?from=2026-01-01&to=2026-01-31",
    ):
        assert client.get(path).status_code == 401
        assert client.get(path, headers=manager).status_code == 403
        assert client.get(path, headers=feed).status_code == 200


@pytest.mark.parametrize(
    "query", ["after=x", "after=-1", "limit=0", "limit=999999", "after=99999999999999999999"]
)
def test_the_feed_refuses_arguments_that_make_no_sense(app, issuer, query):
    headers = {"Authorization": f"Bearer {issuer.token('f', ['feed'])}"}
    assert app.test_client().get(f"/internal/events?{query}", headers=headers).status_code == 422


def test_the_tables_in_the_code_are_the_tables_of_the_migrations(app):
    migrations.check(app.extensions["service"], app.extensions["settings"].database_url)


def test_migrations_run_down_and_up_again(app, postgres):
    url = postgres.create_database()
    service = app.extensions["service"]
    migrations.upgrade(service, url)
    migrations.downgrade(service, url)
    migrations.upgrade(service, url)
    assert migrations.is_at_head(service, url)
    postgres.drop_database(url)


def test_no_table_has_a_float(app):
    with app.extensions["database"].begin() as conn:
        found = conn.execute(
            text(
                "select table_name, column_name from information_schema.columns where table_schema = 'public'"
                " and data_type in ('real', 'double precision', 'money')"
            )
        ).all()
    assert found == []


def test_the_audit_is_append_only_and_can_still_be_sealed(app):
    service, database = app.extensions["service"], app.extensions["database"]
    with database.begin() as conn:
        audit.record(Tx(conn=conn, actor=system_actor(service.name), now=utc_now()), "thing.change", "t1")
    for harm in ("update audit set actor = 'nobody'", "delete from audit"):
        with pytest.raises(IntegrityError), behind(database) as conn:
            conn.execute(text(harm))
    with database.begin() as conn:
        assert chain.seal(conn, audit.CHAIN) > 0
        assert list(chain.verify(conn, audit.CHAIN)) == []
    with pytest.raises(IntegrityError), behind(database) as conn:
        conn.execute(text("update audit set chain_hash = null"))
