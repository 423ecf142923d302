"""Bodies, uploads, addresses and headers that nobody sends by mistake: each refused by its own code, nothing stored."""

import gzip
import json
import random
from uuid import uuid4

import pytest
from sqlalchemy import text

from shared.app import new_app
from shared.documentation import ARGUMENT
from shared.errors import DomainError
from shared.identity import LocalIssuer
from shared.service import load
from shared.settings import SERVICES, Settings
from shared.strict_json import parse
from tests.support.json_pieces import PIECES
from tests.support.roles import behind
from tests.support.routes import WRITING, routes

MASTER_KEY = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
JSON = "application/json"
BULK_BYTES_MAX = 5_000_000
TEXTS_PER_ROUTE = 4

BODIES = [
    (b"{", JSON, 400, "json_malformed"),
    (b"{'a': 1}", JSON, 400, "json_malformed"),
    (b'{"a": 1,}', JSON, 400, "json_malformed"),
    (b'{"a": 1} {"a": 1}', JSON, 400, "json_trailing_text"),
    (b'{"a": 1}\x00', JSON, 400, "json_trailing_text"),
    (b'{"a": "\x00"}', JSON, 400, "json_control_character"),
    (b'{"a": "\xff"}', JSON, 400, "text_undecodable"),
    (b'{"a": "\xed\xa0\x80"}', JSON, 400, "text_undecodable"),
    ('{"a": "药"}'.encode("utf-16"), JSON, 400, "text_undecodable"),
    ('{"a": "阿莫西林"}'.encode("gb18030"), JSON, 400, "text_undecodable"),
    (b'{"a": "\x81"}', "application/json; charset=gb18030", 400, "text_undecodable"),
    (b" \n", JSON, 400, "body_empty"),
    (b"\xef\xbb\xbf", JSON, 400, "body_empty"),
    (b"[" * 255 + b"]" * 255, JSON, 422, "json_too_deep"),
    (b'{"a":' * 1_020 + b"1" + b"}" * 1_020, JSON, 422, "json_too_deep"),
    (b"[" * 100_000, JSON, 422, "json_too_deep"),
    (b'{"a": ' + b"9" * 5_000 + b"}", JSON, 422, "json_number_out_of_range"),
    (b'{"a": 18446744073709551616}', JSON, 422, "json_number_out_of_range"),
    (b'{"a": 1e400}', JSON, 422, "json_number_out_of_range"),
    (b'{"a": NaN}', JSON, 422, "json_number_not_finite"),
    (b'{"a": [-Infinity]}', JSON, 422, "json_number_not_finite"),
    (b'{"a": -0}', JSON, 422, "json_minus_zero"),
    (b'{"a": "\\ud800"}', JSON, 422, "json_lone_surrogate"),
    (b'{"a": "\\udc00\\ud800"}', JSON, 422, "json_lone_surrogate"),
    (b'{"\\ud800": 1}', JSON, 422, "json_lone_surrogate"),
    (b'{"a": "\\u0000"}', JSON, 422, "json_nul_character"),
    (b'{"a": 1, "a": 2}', JSON, 422, "json_duplicate_key"),
    (b'{"a": {"b": 1, "\\u0062": 2}}', JSON, 422, "json_duplicate_key"),
    (b"{}", "text/plain", 415, "media_type_not_supported"),
    (b"{}", None, 415, "media_type_not_supported"),
    (b"a=1", "application/x-www-form-urlencoded", 415, "media_type_not_supported"),
    (b"{}", "application/json; charset=latin-1", 415, "charset_not_supported"),
    ('{"a": 1}'.encode("utf-16"), "application/json; charset=utf-16", 415, "charset_not_supported"),
]  # fmt: skip
WHOLE = [
    (b"[]", JSON, 422, "json_not_an_object"),
    (b"null", JSON, 422, "json_not_an_object"),
    (b'"x"', JSON, 422, "json_not_an_object"),
    (b"\xef\xbb\xbf3", JSON, 422, "json_not_an_object"),
    (b"", JSON, 400, "body_empty"),
    (b'{"unheard_of": 1}', JSON, 422, "payload_invalid"),
    ('{"药": "品"}'.encode("gb18030"), "application/json; charset=GB18030", 422, "payload_invalid"),
]
"""What only a route that wants a body refuses."""


@pytest.fixture(scope="module")
def issuer(tmp_path_factory):
    return LocalIssuer(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="module", params=SERVICES)
def app(request, migrated_database, issuer):
    app = new_app(
        load(request.param),
        Settings(database_url=migrated_database(request.param), jwks=str(issuer.jwks), master_key=MASTER_KEY,
                 feed_token="none", bulk_body_bytes_max=BULK_BYTES_MAX, look_ups_per_minute=100_000,
                 look_ups_of_address_per_minute=1_000_000),
    )  # fmt: skip
    yield app
    app.extensions["database"].dispose()


def rows(app):
    """How many rows each table holds, but for the count of who looked people up: refused questions count too."""
    with behind(app.extensions["database"]) as conn:
        tables = conn.execute(
            text("select tablename from pg_tables where schemaname = 'public' and tablename <> 'rations'")
        ).scalars()
        return {each: conn.execute(text(f"select count(*) from {each}")).scalar_one() for each in tables}


def sent(app, issuer, method, path, view, body, kind, **more):
    headers = {
        "Authorization": f"Bearer {issuer.token('tester', sorted(view.admitted_roles)[:1])}",
        "Idempotency-Key": str(uuid4()),
        **more,
    }
    return app.test_client().open(path, method=method, data=body, content_type=kind, headers=headers)


def json_routes(app):
    """Every writing route that takes JSON or nothing, and whether it wants JSON."""
    for method, path, rule, view in routes(app, *WRITING):
        documented = app.extensions["openapi"]["paths"][ARGUMENT.sub(r"{\1}", rule)][method.lower()]
        kinds = documented.get("requestBody", {}).get("content", {})
        if view.admitted_roles is not None and set(kinds) <= {JSON}:
            yield method, path, view, bool(kinds)


def test_every_writing_route_refuses_every_hostile_body_by_its_code_and_stores_nothing(app, issuer):
    before, tried = rows(app), 0
    for method, path, view, wants_json in json_routes(app):
        for body, kind, status, code in [*BODIES, *(WHOLE if wants_json else ())]:
            answer = sent(app, issuer, method, path, view, body, kind)
            told = (method, path, body[:40], kind)
            assert (answer.status_code, answer.json["code"]) == (status, code), (told, answer.json)
            assert answer.mimetype == "application/problem+json", told
            tried += 1
    assert rows(app) == before
    assert tried >= len(BODIES)


def test_any_text_is_refused_by_every_route_as_the_one_reader_refuses_it(app, issuer):
    chosen = random.Random(SERVICES.index(app.extensions["service"].name))
    for method, path, view, wants_json in json_routes(app):
        if not wants_json:
            continue
        for _ in range(TEXTS_PER_ROUTE):
            body = "".join(chosen.choices(PIECES, k=chosen.randrange(1, 8))).encode("utf-8", "surrogatepass")
            try:
                value = parse(body).value
            except DomainError as refusal:
                expected = (refusal.status, refusal.code)
            else:
                expected = (422, "payload_invalid" if isinstance(value, dict) else "json_not_an_object")
            answer = sent(app, issuer, method, path, view, body, JSON)
            if expected == (422, "payload_invalid") and answer.status_code < 500:
                continue  # a route may take an object, or refuse it by a rule of its own
            assert (answer.status_code, answer.json["code"]) == expected, (path, body)


def test_a_packed_json_body_is_refused(app, issuer):
    for method, path, view, _ in json_routes(app):
        packed = sent(
            app, issuer, method, path, view, gzip.compress(b"{}"), JSON, **{"Content-Encoding": "gzip"}
        )
        assert (packed.status_code, packed.json["code"]) == (415, "content_encoding_not_supported"), path


def test_numbers_that_are_not_whole_and_words_for_truth_are_told_as_such_everywhere(app, issuer):
    for method, path, view, wants_json in json_routes(app):
        if not wants_json:
            continue
        schema = body_schema(app, method, path, view)
        wrong = {name: 1e2 for name, each in schema.items() if each.get("type") == "integer"}
        wrong |= {name: "yes" for name, each in schema.items() if each.get("type") == "boolean"}
        if not wrong:
            continue
        answer = sent(app, issuer, method, path, view, json.dumps(wrong), JSON)
        told = {each["path"]: each["code"] for each in answer.json["errors"]}
        expected = {
            name: "not_whole_number" if value == 100 else "not_true_or_false" for name, value in wrong.items()
        }
        assert expected.items() <= told.items(), (path, answer.json)


def body_schema(app, method, path, view):
    document = app.extensions["openapi"]
    for rule in app.url_map.iter_rules():
        if app.view_functions[rule.endpoint] is view and method in rule.methods:
            operation = document["paths"][ARGUMENT.sub(r"{\1}", rule.rule)][method.lower()]
            schema = operation["requestBody"]["content"][JSON]["schema"]
            name = schema.get("$ref", "").rpartition("/")[2]
            return (
                document["components"]["schemas"][name]["properties"]
                if name
                else schema.get("properties", {})
            )
    raise AssertionError(path)


# --- uploads --------------------------------------------------------------------------------------------

NDJSON = "application/x-ndjson"
UPLOADS = [
    (b"", NDJSON, {}, 400, "body_empty"),
    (b"\xef\xbb\xbf\r\n \n", NDJSON, {}, 400, "body_empty"),
    (b"{}\n{}\n\xff{}\n", NDJSON, {}, 400, "text_undecodable"),
    (b"{}\n\xed\xa0\x80\n", NDJSON, {}, 400, "text_undecodable"),
    (b'{"a": "\x81', f"{NDJSON}; charset=gb18030", {}, 400, "text_undecodable"),
    (b"{}\n", f"{NDJSON}; charset=big5", {}, 415, "charset_not_supported"),
    (b"{}\n", JSON, {}, 415, "media_type_not_supported"),
    (b"{}\n", None, {}, 415, "media_type_not_supported"),
    (b"PK\x03\x04", "application/zip", {}, 415, "media_type_not_supported"),
    (b"{}\n", NDJSON, {"Content-Encoding": "br"}, 415, "content_encoding_not_supported"),
    (b"{}\n", NDJSON, {"Content-Encoding": "gzip, gzip"}, 415, "content_encoding_not_supported"),
    (b"{}\n", NDJSON, {"Content-Encoding": "gzip"}, 400, "gzip_malformed"),
    (gzip.compress(b"{}\n" * 100)[:-9], NDJSON, {"Content-Encoding": "gzip"}, 400, "gzip_malformed"),
    (gzip.compress(b""), NDJSON, {"Content-Encoding": "gzip"}, 400, "body_empty"),
    (gzip.compress(b"{}\n\xff"), NDJSON, {"Content-Encoding": "gzip"}, 400, "text_undecodable"),
    (gzip.compress(b" " * 4_900_000), NDJSON, {"Content-Encoding": "gzip"}, 413, "too_large"),
    (gzip.compress(b"".join(b"%d\n" % n for n in range(800_000)), 1), NDJSON, {"Content-Encoding": "gzip"}, 413, "too_large"),
    (b" " * (BULK_BYTES_MAX + 1), NDJSON, {}, 413, "too_large"),
]  # fmt: skip


def test_every_upload_is_refused_whole_for_what_it_is(app, issuer):
    before = rows(app)
    for method, path, _, view in routes(app, "POST"):
        if not getattr(view, "is_upload", False):
            continue
        for body, kind, headers, status, code in UPLOADS:
            answer = sent(app, issuer, method, path, view, body, kind, **headers)
            assert (answer.status_code, answer.json["code"]) == (status, code), (path, body[:40], answer.json)
    assert rows(app) == before


# --- addresses and headers --------------------------------------------------------------------------------

QUERIES = ["cursor=%00", "branch_id=%ED%A0%80", "month=%FF", "q=%C0%80", "%00=1"]
HEADERS = [
    {"Accept-Language": ",;q=zh;;=,"}, {"Accept-Language": "zh;q=nan, en;q=1e999"}, {"Accept-Language": "zh," * 5_000},
    {"Accept-Language": "\xff\xfe"}, {"traceparent": "00-" + "g" * 32}, {"traceparent": "\xff"}, {"X-Request-ID": "\xff" * 200},
    {"X-Request-ID": "a" * 65}, {"Cookie": 'apotheca_token="\xff; lang=\x7f; =;;'}, {"Cookie": "apotheca_lang=zh\xff" + ";a=b" * 2_000},
    {"Accept": "*/*;q=x, text/\xff"}, {"Range": "bytes=9-1"}, {"If-Modified-Since": "yesterday"}, {"Content-Type": "\xff/\xff; charset"},
    {"X-Forwarded-For": "\xff, 1.1.1.1.1"}, {"X-Forwarded-Proto": "\xff"}, {"Authorization": "Bearer \xff"}, {"Authorization": "Bearer a.b.c.d.e"},
    {"Content-Encoding": "\xff"},
]  # fmt: skip


def test_an_address_that_is_no_text_reaches_no_route(app, issuer):
    client = app.test_client()
    for method, path, _, view in routes(app, "GET", *WRITING):
        if view.admitted_roles is None:
            continue
        for query in QUERIES:
            answer = sent(app, issuer, method, f"{path}?{query}", view, b"", None)
            assert (answer.status_code, answer.json["code"]) == (400, "address_not_text"), (path, query)
        for odd in ("\x00", "\xed\xa0\x80", "\xff"):  # bytes, as a server hands them on
            answer = client.open(path, method=method, environ_overrides={"PATH_INFO": path + odd})
            assert (answer.status_code, answer.json["code"]) == (400, "address_not_text"), path


def test_no_header_breaks_anything(app, issuer):
    for method, path, _, view in routes(app, "GET", "POST"):
        if view.admitted_roles is None:
            continue
        for headers in HEADERS:
            answer = sent(app, issuer, method, path, view, b"", None, **headers)
            assert answer.status_code < 500 or "Retry-After" in answer.headers, (path, headers, answer.text)


@pytest.mark.parametrize("key", ["a\tb", "\xff", "中".encode().decode("latin-1"), "a" * 129, "a b", "\x7f"])
def test_a_key_of_other_characters_is_refused(app, issuer, key):
    for method, path, view, _ in json_routes(app):
        if not getattr(view, "is_command", False):
            continue
        answer = sent(app, issuer, method, path, view, b"{}", JSON, **{"Idempotency-Key": key})
        assert (answer.status_code, answer.json["code"]) == (422, "idempotency_key_missing"), path


def test_a_question_asked_twice_is_refused(app, issuer):
    tried = 0
    for _, path, rule, view in routes(app, "GET"):
        operation = app.extensions["openapi"]["paths"].get(ARGUMENT.sub(r"{\1}", rule), {}).get("get", {})
        for each in operation.get("parameters", []):
            if each["in"] != "query" or each["schema"].get("type") == "array" or view.admitted_roles is None:
                continue
            name = each["name"]
            answer = sent(app, issuer, "GET", f"{path}?{name}=1&{name}=2", view, b"", None)
            assert answer.status_code == 422, (path, name)
            assert (name, "given_twice") in [
                (fault["path"], fault["code"]) for fault in answer.json["errors"]
            ]
            tried += 1
    assert tried


def test_a_number_of_a_question_is_written_in_one_way_everywhere(app, issuer):
    for _, path, rule, view in routes(app, "GET"):
        operation = app.extensions["openapi"]["paths"].get(ARGUMENT.sub(r"{\1}", rule), {}).get("get", {})
        for each in operation.get("parameters", []):
            if (
                each["in"] != "query"
                or each["schema"].get("type") != "integer"
                or view.admitted_roles is None
            ):
                continue
            for value in ("1_0", "%205", "%2B5", "05", "%D9%A5", "%EF%BC%95"):
                answer = sent(app, issuer, "GET", f"{path}?{each['name']}={value}", view, b"", None)
                assert answer.status_code == 422, (path, value)
                told = [(fault["path"], fault["code"]) for fault in answer.json["errors"]]
                assert (each["name"], "not_whole_number") in told


def test_refusals_are_told_in_the_language_asked_for(app, issuer):
    for method, path, view, wants_json in json_routes(app):
        if not wants_json:
            continue
        for asked, tag, title, detail in (
            ("zh-CN,zh;q=0.9,en;q=0.5", "zh-CN", "内容不符合要求", "内容有误；每一处都列在 `errors` 中"),
            ("en", "en", "Unprocessable", "the payload has faults; each is listed under `errors`"),
            ("fr", "en", "Unprocessable", "the payload has faults; each is listed under `errors`"),
        ):
            answer = sent(app, issuer, method, path, view, b'{"x": 1}', JSON, **{"Accept-Language": asked})
            assert answer.headers["Content-Language"] == tag
            assert answer.json["title"].startswith(title)
            assert answer.json["detail"] == detail
            [unknown] = [each for each in answer.json["errors"] if each["path"] == "x"]
            assert unknown["code"] == "unknown_field"
            assert unknown["message"] == (
                "这里没有这个字段" if tag == "zh-CN" else "no such field is known here"
            )
