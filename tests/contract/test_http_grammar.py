"""The grammar of HTTP (docs/http.md) holds for every route of every service, ADR-0046."""

import re
from functools import cache

import pytest

from deploy.generate.openapi import application
from deploy.generate.repository import ROOT, SERVICES

PAGE = (ROOT / "docs" / "http.md").read_text()
FILES = {"pdf", "xlsx", "csv", "ndjson", "beancount"}
METHODS = ("get", "post", "put", "patch", "delete")
KEBAB = re.compile(r"[a-z]+(-[a-z]+)*")
NOT_PLURAL = ("ss", "us", "is")
RANGES = re.compile(
    r"(first|last|after|before|since|to|start|end|begin)(_(on|day|date|month|at))?|(from|until)_(on|day|date)"
)
"""Other words for `from` and `until`. Of an instant or a single day a word says what happened: `closed_on`."""
RANGE_WORDS_THAT_ARE_NONE = {
    # The expiry that held before a decision.
    "before",
}
YES_OR_NO = {"approved", "accepted", "rejected", "refused", "verified", "agreed"}
DECISIONS = {"approved", "rejected"}
OF_OTHERS = {"branch_id", "customer_id"}
"""Ids of things that another service has, as keys of what is told of them."""


@cache
def app_of(package):
    return application(package)


def listed(heading):
    """First column of the table under a heading of the page."""
    part = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return [row.split("|")[1].strip() for row in part.splitlines() if row.startswith("| ")][1:]


VERBS, MATTERS = set(listed("Verbs")), set(listed("Matters"))


def singular(noun):
    if noun.endswith("ies"):
        return noun[:-3] + "y"
    if re.search(r"(ch|sh|ss|x)es$", noun):
        return noun[:-2]
    return noun.removesuffix("s")


def is_plural(noun):
    return bool(KEBAB.fullmatch(noun)) and noun.endswith("s") and not noun.endswith(NOT_PLURAL)


def is_key(part):
    return part.startswith("{")


def address_faults(method, path):
    """What is wrong with one address, in words."""
    if not path.startswith("/v1/") or path.endswith("/"):
        yield "begins with /v1/ and does not end with /"
        return
    parts = path.removeprefix("/v1/").split("/")
    named = list(parts)
    match named:
        case [*before, "decisions", "bulk"] | [*before, _, "bulk"] if method == "post" and named[-2] in {
            "decisions",
            *VERBS,
        }:
            named = before
        case [*before, "bulk"] if method == "post":
            named = before
        case [*before, matter, "decisions"] if method == "post" and matter in MATTERS and is_key(before[-1]):
            named = before
        case [*before, last] if before and is_key(before[-1]) and not is_key(last):
            if (method == "post" and (last in VERBS or last == "decisions")) or (
                method == "get" and last in FILES
            ):
                named = before
        case _:
            pass
    yield from noun_faults(named)
    if method == "post" and len(named) == len(parts) and is_key(parts[-1]):
        yield "POST goes to a noun or a verb"
    if method in {"put", "patch", "delete"} and not is_key(parts[-1]):
        yield f"{method.upper()} goes to one thing"


def noun_faults(parts):
    """Nouns are plural, and between two of them is a key."""
    if is_key(parts[0]):
        yield "begins with a noun"
    for before, part in zip([None, *parts], parts, strict=False):
        if is_key(part):
            continue
        if not is_plural(part):
            yield f"`{part}` is neither a plural noun in kebab case nor a verb of docs/http.md"
        if before is not None and not is_key(before):
            yield f"between `{before}` and `{part}` is no key"


def keyed(paths):
    """(nouns up to a key, the key) of every key of every address."""
    for path in paths:
        parts = path.removeprefix("/v1/").split("/")
        for place, part in enumerate(parts):
            if is_key(part):
                yield "/".join(parts[:place]), part.strip("{}")


def names_of_own(noun):
    """What an id of a noun may be called: all its words, or its last ones."""
    words = singular(noun).split("-")
    return {"_".join(words[start:]) + "_id" for start in range(len(words))}


def id_faults(document):
    """An id is named after one noun alone, and that noun has a list."""
    owners, others = {}, set()
    lists = {path for path, methods in document["paths"].items() if "get" in methods}
    for nouns, key in set(keyed(document["paths"])):
        if not key.endswith("_id"):
            continue
        noun = nouns.rpartition("/")[2]
        if key in names_of_own(noun):
            owners.setdefault(key, set()).add(noun)
            if f"/v1/{nouns}" not in lists:
                yield f"{{{key}}} of /v1/{nouns}: there is no list"
        else:
            others.add((nouns, key))
    for key, nouns in sorted(owners.items()):
        if len(nouns) > 1:
            yield f"{{{key}}} means {' and '.join(sorted(nouns))}"
    known = set(owners) | OF_OTHERS
    for nouns, key in sorted(others):
        if key not in known:
            yield f"{{{key}}} of /v1/{nouns} is not named after a noun"


def schemas_of(document):
    """(where, properties) of every object in the document but refusals."""
    for name, schema in document["components"]["schemas"].items():
        if name not in {"Problem", "Error"}:
            yield name, schema.get("properties", {})


def word_faults(where, names):
    for name in sorted(names):
        if name == "status" or name.endswith("_status"):
            yield f"{where}: `{name}` is a state"
        if name == "id":
            yield f"{where}: `id` is of what"
        if name not in RANGE_WORDS_THAT_ARE_NONE and RANGES.fullmatch(name):
            yield f"{where}: `{name}` is from or until"


def resolved(document, schema):
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def json_of(document, holder):
    schema = holder.get("content", {}).get("application/json", {}).get("schema", {})
    return resolved(document, schema).get("properties", {})


def operation_faults(document, method, path, operation):
    where = f"{method.upper()} {path}"
    yield from (f"{where}: {fault}" for fault in address_faults(method, path))
    asked = {each["name"] for each in operation.get("parameters", []) if each["in"] == "query"}
    yield from word_faults(where, asked)
    if "format" in asked:
        yield f"{where}: a file has its own address"
    kinds = set(operation["responses"].get("200", {}).get("content", {})) - {"application/json"}
    if method == "get" and bool(kinds) != (path.rpartition("/")[2] in FILES):
        yield f"{where}: a file, and nothing else, ends with its kind"
    body = json_of(document, operation.get("requestBody", {}))
    told = json_of(document, operation["responses"].get("200", {}))
    if re.search(r"/decisions(/bulk)?$", path) and method == "post":
        words = set(body.get("decision", {}).get("enum", ()))
        if not words or not words <= DECISIONS or "reason" not in body:
            yield f"{where}: an approval is {{decision, reason}}"
    elif "decision" in body:
        yield f"{where}: an approval goes to /decisions"
    yield from (f"{where}: `{name}` is a decision" for name, kind in body.items()
                if name in YES_OR_NO and kind.get("type") == "boolean")  # fmt: skip
    pages = {"limit", "cursor"} & asked | {"next_cursor"} & set(told)
    if method == "get" and len(pages) not in {0, 3}:
        yield f"{where}: a list has limit, cursor and next_cursor"


def faults(package):
    document = app_of(package).extensions["openapi"]
    for path, methods in document["paths"].items():
        for method in METHODS:
            if method in methods:
                yield from operation_faults(document, method, path, methods[method])
    for name, properties in schemas_of(document):
        yield from word_faults(name, properties)
        yield from (f"{name}: `{each}` is a decision" for each in properties
                    if each in YES_OR_NO and properties[each].get("type") == "boolean")  # fmt: skip
    yield from id_faults(document)


@pytest.mark.parametrize("package", SERVICES)
def test_every_route_follows_the_grammar(package):
    assert sorted(set(faults(package))) == []


def test_every_verb_and_matter_is_used_and_said_once():
    told = [*listed("Verbs"), *listed("Matters")]
    used = {
        part
        for package in SERVICES
        for path in app_of(package).extensions["openapi"]["paths"]
        for part in path.split("/")
    }
    assert sorted(set(told) - used) == []
    assert told == list(dict.fromkeys(told))
    assert listed("Verbs") == sorted(listed("Verbs"))


def test_files_go_to_bulk_and_nothing_else_passes_the_gateways_door_for_uploads():
    [door] = re.findall(r"location ~ \^(.*bulk\))\$", (ROOT / "deploy" / "nginx.conf").read_text())
    passes = re.compile(door.replace("(?<", "(?P<") + "$")
    wrong = []
    for package, folder in SERVICES.items():
        app = app_of(package)
        for rule in app.url_map.iter_rules():
            takes = getattr(app.view_functions[rule.endpoint], "is_upload", False)
            if takes != bool(passes.match(f"/{folder}{rule.rule}")):
                wrong.append(rule.rule)
    assert wrong == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("post", "/v1/orders/{order_id}/decision"),
        ("post", "/v1/orders/{order_id}/approve"),
        ("post", "/v1/order/{order_id}/cancel"),
        ("post", "/v1/orders/{order_id}/cancellation"),
        ("post", "/v1/journal/entries"),
        ("get", "/v1/customers/"),
        ("get", "/v1/orders/{order_id}/cancel"),
        ("get", "/v1/orders/overdue"),
        ("post", "/v1/sample_kits"),
        ("post", "/v1/orders/{order_id}"),
        ("put", "/v1/orders"),
        ("post", "/v1/orders/{order_id}/discount/decisions"),
        ("get", "/v1/ledgers/vouchers.xlsx"),
        ("post", "/v1/orders/lines/bulk"),
        ("get", "/v1/stock"),
        ("get", "/v1/status"),
    ],
)
def test_what_does_not_follow_it_is_seen(method, path):
    assert list(address_faults(method, path)) != []
