"""Every id that a request needs is in a list, and whoever may act on a thing may find it."""

import re

import pytest

from deploy.generate.openapi import application
from deploy.generate.repository import SERVICES

ELSEWHERE = {
    # Told by another service; whoever has one has it from there.
    ("service_desk", "return_id"),
    ("service_desk", "sale_id"),
    ("finance", "redemption_id"),
    # Kept outside: suppliers have no register of their own, contacts and disclosures are shown with their customer.
    ("finance", "supplier_id"),
    # Open items: either side of an allocation.
    ("finance", "credit_id"),
    ("finance", "debt_id"),
    # The bank account that follows another.
    ("finance", "successor_id"),
    # Lines of a return are told with the return itself.
    ("returns", "return_line_id"),
}
TOLD_OTHERWISE = {
    # A till passes on what a customer answers there; the id is on the slip that asks.
    "/v1/surveys/{survey_id}/answers": {"till"},
}
"""Roles that have the id of this address from somewhere else than a list."""


def resolved(document, schema):
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def names(document, schema, depth=0):
    """The names of a schema's properties, two levels deep."""
    schema = resolved(document, schema)
    if schema.get("type") == "array":
        return names(document, schema["items"], depth)
    found = set()
    for name, inner in schema.get("properties", {}).items():
        found.add(name)
        if depth < 2:
            found |= names(document, inner, depth + 1)
    return found


def operations(document):
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if method in {"get", "post", "put", "patch", "delete"}:
                yield method, path, operation


def lists_of(document):
    """(path, names of what its items hold) of every operation that answers with `items`."""
    for method, path, operation in operations(document):
        answer = operation["responses"].get("200", {}).get("content", {}).get("application/json", {})
        items = resolved(document, answer.get("schema", {})).get("properties", {}).get("items")
        if method == "get" and items is not None:
            yield path, names(document, items)


def needed_ids(document):
    """(method, path, id) of every id in an address or a body."""
    for method, path, operation in operations(document):
        ids = set(re.findall(r"{(\w+_id)}", path))
        body = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
        if method != "get" and "schema" in body:
            ids |= {name for name in names(document, body["schema"]) if name.endswith("_id")}
        for name in sorted(ids):
            yield method, path, name


def finding(lists, path, name):
    """The lists in which `name` is found: by its name, or as `id` in the collection that the address goes through."""
    collection = path.partition("/{" + name + "}")[0]
    return {
        where for where, held in lists if name in held or ("id" in held and where.rstrip("/") == collection)
    }


@pytest.mark.parametrize("package", SERVICES)
def test_every_id_that_a_request_needs_is_found_by_a_list(package):
    document = application(package).extensions["openapi"]
    lists = list(lists_of(document))
    lost = {
        (name, f"{method.upper()} {path}")
        for method, path, name in needed_ids(document)
        if (package, name) not in ELSEWHERE and not finding(lists, path, name)
    }
    assert lost == set()


def roles_by_address(app):
    """Roles admitted, by method and the address as OpenAPI writes it."""
    found = {}
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
        for method in rule.methods:
            found[method.lower(), path.rstrip("/")] = getattr(view, "admitted_roles", None) or frozenset()
    return found


@pytest.mark.parametrize("package", SERVICES)
def test_whoever_may_act_on_something_may_list_what_there_is(package):
    """So everything that waits for a decision can be found by those who decide."""
    app = application(package)
    document = app.extensions["openapi"]
    lists, roles = list(lists_of(document)), roles_by_address(app)
    blind = {}
    for method, path, name in needed_ids(document):
        where = finding(lists, path, name)
        if method == "get" or "{" + name + "}" not in path or not where:
            continue
        seen = frozenset().union(*(roles["get", each.rstrip("/")] for each in where))
        missing = roles[method, path.rstrip("/")] - seen
        if missing - TOLD_OTHERWISE.get(path, frozenset()):
            blind[f"{method.upper()} {path}"] = sorted(missing)
    assert blind == {}
