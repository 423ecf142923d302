"""The bounds that a document tells are those that are held: each bound is taken, one beyond is refused."""

import re
from functools import cache

import pytest
from marshmallow import Schema

from shared.arguments import JsonNotAnObject, PayloadInvalid, load_json
from shared.service import load
from shared.settings import SERVICES

FIELD = {
    "minLength": "length_wrong",
    "maxLength": "length_wrong",
    "minimum": "out_of_range",
    "maximum": "out_of_range",
}
LETTERS = ("A", "a", "0")


@cache
def documents():
    from shared.app import new_app
    from shared.settings import Settings

    found = {}
    for service in SERVICES:
        app = new_app(
            load(service), Settings(database_url="postgresql+psycopg://x@127.0.0.1:9/x", jwks="none.json")
        )
        found[service] = app.extensions["openapi"]["components"]["schemas"]
        app.extensions["database"].dispose()
    return found


def subclasses(kind):
    for each in kind.__subclasses__():
        yield each
        yield from subclasses(each)


def bodies():
    """(service, schema of marshmallow, what the document says of it) of every body."""
    documented = documents()
    for kind in sorted(set(subclasses(Schema)), key=str):
        service = kind.__module__.partition(".")[0]
        name = re.sub("Schema$", "", kind.__name__)
        if service in documented and name.endswith("Body") and name in documented[service]:
            shapes = documented[service][name]["properties"]
            yield (
                service,
                kind(),
                {each: amount(documented[service], shape) for each, shape in shapes.items()},
            )


def amount(schemas, shape):
    """The shape of an amount in the place of its name."""
    named = [each.get("$ref", "").rpartition("/")[2] for each in shape.get("anyOf", [shape])]
    return next((schemas[each] for each in named if each.startswith("Money")), shape)


def bounded(shape, path=()):
    """(path, keyword, bound) of every bound in a documented shape."""
    for keyword in FIELD:
        if keyword in shape:
            yield path, keyword, shape[keyword]
    for name, inner in shape.get("properties", {}).items():
        yield from bounded(inner, (*path, name))


CASES = [
    pytest.param(
        schema,
        name,
        path,
        keyword,
        bound,
        id=f"{service}.{type(schema).__name__}.{'.'.join((name, *path))}.{keyword}",
    )
    for service, schema, properties in bodies()
    for name, shape in properties.items()
    for path, keyword, bound in bounded(shape)
    if "$ref" not in shape
]


def told(schema, name, path, value):
    for step in reversed(path):
        value = {step: value, "currency": "CNY"} if step == "fen" else {step: value}
    try:
        load_json(schema, {name: value})
    except (PayloadInvalid, JsonNotAnObject) as refusal:
        where = ".".join((name, *path))
        return {each.code for each in refusal.context["errors"] if each.path in {where, name}}
    return set()


def test_there_are_bounds_to_be_tried():
    assert len(CASES) > 300


@pytest.mark.parametrize(("schema", "name", "path", "keyword", "bound"), CASES)
def test_the_bound_is_taken_and_one_beyond_is_refused(schema, name, path, keyword, bound):
    code = FIELD[keyword]
    if keyword.endswith("Length"):
        at = [letter * bound for letter in LETTERS]
        beyond = [letter * (bound - 1 if keyword == "minLength" else bound + 1) for letter in LETTERS]
        if keyword == "minLength" and bound == 0:
            return
    else:
        at, beyond = [bound], [bound - 1 if keyword == "minimum" else bound + 1]
    assert any(code not in told(schema, name, path, value) for value in at)
    assert all(told(schema, name, path, value) for value in beyond)


def test_no_field_of_a_body_holds_a_number_without_bounds():
    boundless = [
        f"{service}.{type(schema).__name__}.{name}"
        for service, schema, properties in bodies()
        for name, shape in properties.items()
        if shape.get("type") == "integer" and not {"minimum", "maximum"} <= set(shape)
    ]
    assert boundless == []
