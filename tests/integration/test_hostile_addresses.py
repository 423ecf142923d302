"""Arguments of addresses that nobody sends by mistake: in paths, questions, cursors and headers, on every route of every service."""

import base64
import json
import re
from urllib.parse import quote
from uuid import uuid4

import pytest

from shared.app import new_app
from shared.documentation import ARGUMENT
from shared.identity import LocalIssuer
from shared.service import load
from shared.settings import SERVICES, Settings
from tests.support.routes import WRITING, routes

MASTER_KEY = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
PLACE = re.compile(r"<(?:(\w+):)?(\w+)>")
IN_PATHS = {
    "int": ["0", "1", "2147483648", "9223372036854775808", "9" * 40, "9" * 4_000, "007"],
    "uuid": ["00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff", "FFFFFFFF-0000-0000-0000-000000000000"],
    "string": ["x" * 4_000, "0000-00", "2026-13", "9999-12", "0000-01", "2026-1", "../..", "%", "'", '"', "药" * 200, "\U0001f48a", "\u202e", "-1", "null", "{}"],
}  # fmt: skip
VALUES = [
    "", " ", "0", "-1", "-9223372036854775809", "9223372036854775808", "9" * 40, "1e3", "NaN", "x" * 10_000, "药" * 3_000, "\U0001f48a", "\u202e",
    "0000-00-00", "9999-12-31", "0001-01-01", "2026-02-30", "0001-01", "9999-12", "2099-12", "2000-01", "2026-13", "null", "[]", "'; drop table x; --",
    "%", "%00", "\t", "\u200b", "00000000-0000-0000-0000-000000000000", "true", "TRUE", "csv", "zh", "a,b,c" * 500, "\ufffe",
]  # fmt: skip
KEYS = [
    [], [None], [1], ["x"], [[1]], [{}], [True], [1.5], [2**63], [-(2**63) - 1], [10**30], ["9999-12-31"], ["0001-01-01"], ["2026-02-30"],
    ["00000000-0000-0000-0000-000000000000"], ["x" * 300], ["\x00"], ["\ud800"], [1, 2], ["2026-01-01", 2**63], ["2026-01-01", str(uuid4())],
    [2**63, str(uuid4())], ["x", "y", "z"], [1] * 50, {}, "x", 1, None,
]  # fmt: skip
"""What a cursor of somebody else's making may hold."""
HEADERS = [
    {"Idempotency-Key": ""}, {"Idempotency-Key": "k" * 10_000}, {"Idempotency-Key": "\xe9"}, {"Accept-Language": "zh" * 200}, {"Accept-Language": "*"},
    {"Accept-Language": "zh-CN-u-co-pinyin;q=0.0001,en;q=-1"}, {"Accept-Language": "i-klingon, zh-Hant-TW;q=2"}, {"Content-Type": ""},
    {"Content-Type": 'application/json; charset="utf-8'}, {"Content-Type": "application/json;" * 300}, {"Content-Type": "application/json; charset=idna"},
    {"Content-Type": "application/json; charset=rot13"}, {"Content-Type": "multipart/form-data"}, {"Content-Type": "multipart/form-data; boundary="},
    {"Content-Length": "-1"}, {"Content-Length": "x"}, {"Accept": "x" * 4_000}, {"Cookie": "=;=;" * 900}, {"X-Request-ID": ""}, {"Authorization": ""},
    {"Authorization": "Basic eDp5"}, {"Authorization": "Bearer " + "e30." * 900}, {"If-None-Match": '"' * 900}, {"X-Forwarded-For": "," * 900},
]  # fmt: skip


@pytest.fixture(scope="module")
def issuer(tmp_path_factory):
    return LocalIssuer(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="module", params=SERVICES)
def app(request, migrated_database, issuer):
    app = new_app(
        load(request.param),
        Settings(database_url=migrated_database(request.param), jwks=str(issuer.jwks), master_key=MASTER_KEY,
                 feed_token="none", look_ups_per_minute=1_000_000, look_ups_of_address_per_minute=10_000_000),
    )  # fmt: skip
    yield app
    app.extensions["wakeup"].close()
    app.extensions["database"].dispose()


def asked(app, issuer, method, address, view, **headers):
    sent = {
        "Authorization": f"Bearer {issuer.token('tester', sorted(view.admitted_roles)[:1])}",
        "Idempotency-Key": str(uuid4()),
    }
    body = b"{}" if method in WRITING else b""
    answer = app.test_client().open(
        address, method=method, data=body, headers={"Content-Type": "application/json", **sent, **headers}, buffered=True
    )  # fmt: skip
    is_fault = answer.status_code >= 500 and "Retry-After" not in answer.headers
    assert not is_fault, (method, address[:200], headers, answer.text[:500])
    return answer


def protected(app, *methods):
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        if getattr(view, "admitted_roles", None):
            for method in sorted(rule.methods & set(methods)):
                yield method, rule.rule, view


def filled(rule, kind, value):
    """The address with `value` for every argument of the kind, and something that is not there for the others."""
    others = {"int": "1", "uuid": str(uuid4())}

    def replaced(place):
        of = place[1] if place[1] in ("int", "uuid") else "string"
        return quote(value, safe="") if of == kind else others.get(of, "x")

    return PLACE.sub(replaced, rule)


def test_no_argument_of_a_path_breaks_anything(app, issuer):
    tried = 0
    for method, rule, view in protected(app, "GET", *WRITING):
        kinds = {place[1] if place[1] in ("int", "uuid") else "string" for place in PLACE.finditer(rule)}
        for kind in kinds:
            for value in IN_PATHS[kind]:
                asked(app, issuer, method, filled(rule, kind, value), view)
                tried += 1
    assert tried


def questions(app):
    """(address, view, names of its questions); pages that are in no document are asked what pages are asked."""
    paths = app.extensions["openapi"]["paths"]
    for _, rule, view in protected(app, "GET"):
        told = paths.get(ARGUMENT.sub(r"{\1}", rule), {}).get("get", {}).get("parameters", [])
        names = [each["name"] for each in told if each["in"] == "query"]
        yield filled(rule, "string", "2026-01"), view, names or ["month", "branch_id", "lang", "format"]


def test_no_answer_to_a_question_breaks_anything(app, issuer):
    for address, view, names in questions(app):
        for name in names:
            for value in VALUES:
                asked(app, issuer, "GET", f"{address}?{name}={quote(value, safe='')}", view)


def test_no_cursor_of_anybody_breaks_anything(app, issuer):
    for address, view, names in questions(app):
        if "cursor" not in names:
            continue
        for keys in KEYS:
            written = json.dumps(keys).encode("utf-8", "surrogatepass")
            cursor = base64.urlsafe_b64encode(written).decode().rstrip("=")
            answer = asked(app, issuer, "GET", f"{address}?cursor={cursor}", view)
            assert answer.status_code in {200, 400, 403, 404, 409, 422, 503}, (address, keys, answer.text)


def test_no_header_of_any_length_or_charset_breaks_anything(app, issuer):
    for method, rule, view in protected(app, "GET", *WRITING):
        for headers in HEADERS:
            asked(app, issuer, method, filled(rule, "string", "x"), view, **headers)


def test_every_route_is_in_the_document_by_which_it_is_hunted(app):
    """tests/integration/test_any_input.py hunts what the document names: each operation with all it takes."""
    paths = app.extensions["openapi"]["paths"]
    for method, _, rule, view in routes(app, "GET", *WRITING):
        operation = paths.get(ARGUMENT.sub(r"{\1}", rule), {}).get(method.lower())
        assert operation is not None, (method, rule)
        assert set(operation["x-roles"]) == set(view.admitted_roles), rule
        described = {each["name"] for each in operation.get("parameters", []) if each["in"] == "path"}
        described |= {each["name"] for each in paths[ARGUMENT.sub(r"{\1}", rule)].get("parameters", [])}
        assert {place[2] for place in PLACE.finditer(rule)} <= described, rule
