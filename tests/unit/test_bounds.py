"""Everything that comes into a service has bounds, and every pattern holds the whole text.

Walks the requests of every OpenAPI document, every marshmallow schema, and every msgspec type that reads JSON.
"""

import ast
import importlib
import json
import re
from collections.abc import Iterator

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import Schema, fields, validate

from deploy.generate.openapi import document_of
from deploy.generate.repository import SERVICES, every_source, json_text, parsed, shown, sources_of
from shared import texts, validators
from shared.workbook import XLSX

OPAQUE = {
    "application/x-ndjson": "a file, bounded in bytes; each line is a body of its own",
    "text/csv": "a file, bounded in bytes; each row is part of a body of its own",
    XLSX: "a file, bounded in bytes, rows and columns; each row is a body of its own",
}
RULED = {
    "sold_at": "between the first day of the books and now, by a rule that says which",
    "reviewed_at": "up to a year before the sale, by a rule",
    "expiry": "not before the day of sale, by a rule; else any day of the calendar",
}
"""Dates whose bounds are no constants."""
BINARY = {"file": "base64, bounded in characters"}


def resolved(document, schema):
    while "$ref" in schema:
        found = document
        for part in schema["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        schema = found
    return schema


def leaves(document, schema, path, above=()):
    """(path, schema) of everything below `schema`."""
    schema = resolved(document, schema)
    if id(schema) in above:
        return
    above = (*above, id(schema))
    yield path, schema
    for kind in ("anyOf", "oneOf", "allOf"):
        for each in schema.get(kind, ()):
            yield from leaves(document, each, path, above)
    if "items" in schema:
        yield from leaves(document, schema["items"], f"{path}[]", above)
    for name, each in schema.get("properties", {}).items():
        yield from leaves(document, each, f"{path}.{name}", above)
    if isinstance(schema.get("additionalProperties"), dict):
        yield from leaves(document, schema["additionalProperties"], f"{path}.*", above)


def faults_of(path, schema) -> Iterator[str]:
    """What is not bounded in one node of a JSON Schema."""
    if "enum" in schema or "const" in schema:
        return
    kinds = schema.get("type", ())
    kinds = {kinds} if isinstance(kinds, str) else set(kinds)
    name = path.rpartition(".")[2]
    if "string" in kinds:
        form = schema.get("format")
        if form in {"date", "date-time"} and "pattern" not in schema:
            if name not in RULED and not any(key.endswith("minimum") for key in schema):
                yield f"{path}: a day without a range"
        elif form != "uuid":
            if "maxLength" not in schema and not bounds_itself(schema.get("pattern", ".*")):
                yield f"{path}: a text without a greatest length"
            if "pattern" not in schema and name not in BINARY:
                yield f"{path}: a text that may hold anything"
    if "pattern" in schema and not (schema["pattern"].startswith("^") and schema["pattern"].endswith("$")):
        yield f"{path}: a pattern that is not anchored: {schema['pattern']}"
    if kinds & {"integer"} and not {"minimum", "maximum"} <= set(schema):
        yield f"{path}: a number without both bounds"
    if "number" in kinds:
        yield f"{path}: a number that may be broken"
    if "array" in kinds and "maxItems" not in schema:
        yield f"{path}: a list without a greatest length"


def bounds_itself(pattern):
    return re._parser.parse(pattern).getwidth()[1] < 10_000


def requests_of(document):
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if not isinstance(operation, dict):
                continue
            for each in operation.get("parameters", ()):
                parameter = resolved(document, each)
                yield f"{method} {path} ?.{parameter['name']}", parameter["schema"]
            for kind, content in operation.get("requestBody", {}).get("content", {}).items():
                if kind not in OPAQUE:
                    yield f"{method} {path} ", content["schema"]


@pytest.mark.parametrize("package", SERVICES)
def test_every_text_number_day_and_list_of_a_request_is_bounded(package):
    document = json.loads(json_text(document_of(package)))
    faults = [
        fault
        for where, schema in requests_of(document)
        for path, each in leaves(document, schema, where)
        for fault in faults_of(path, each)
    ]
    assert faults == []


MADE_OF_BODIES = {"contacts", "contracts", "orders", "registration"}
"""Areas whose models are made of bodies that their schemas have read; they hear no event."""


def structs_of(package):
    """Every msgspec struct with which a package reads JSON: its subscriptions and what it decodes itself."""
    for path in sources_of(package):
        if path.parent.name not in MADE_OF_BODIES and path.name in {
            "subscriptions.py",
            "model.py",
            "receipt.py",
        }:
            module = importlib.import_module(
                ".".join(path.with_suffix("").parts[path.parts.index("src") + 1 :])
            )
            for each in vars(module).values():
                if isinstance(each, type) and issubclass(each, msgspec.Struct) and each is not msgspec.Struct:
                    yield each


@pytest.mark.parametrize("package", ["customers", "finance"])
def test_every_field_that_a_service_reads_of_events_is_bounded(package):
    found = sorted(set(structs_of(package)), key=lambda each: each.__name__)
    assert found
    _, components = msgspec.json.schema_components(found, ref_template="#/{name}")
    document = json.loads(json.dumps(components).replace("\\\\A", "^").replace("\\\\Z", "$"))
    faults = [
        fault
        for name in document
        for path, each in leaves(document, document[name], name)
        for fault in faults_of(path, each)
        if "a day without a range" not in fault  # days of events are checked where they are declared
    ]
    assert faults == []


def schemas_of(package):
    for path in sources_of(package):
        if path.name in {"schemas.py", "subscriptions.py"}:
            module = importlib.import_module(
                ".".join(path.with_suffix("").parts[path.parts.index("src") + 1 :])
            )
            for each in vars(module).values():
                if isinstance(each, type) and issubclass(each, Schema) and each is not Schema:
                    yield each


def validators_in(field):
    yield from field.validators
    for inner in ("inner", "key_field", "value_field"):
        if isinstance(getattr(field, inner, None), fields.Field):
            yield from validators_in(getattr(field, inner))


@pytest.mark.parametrize("package", SERVICES)
def test_every_pattern_of_a_schema_holds_the_whole_text(package):
    loose = [
        f"{schema.__name__}.{name}: {each.regex.pattern}"
        for schema in set(schemas_of(package))
        for name, field in schema._declared_fields.items()
        for each in validators_in(field)
        if isinstance(each, validate.Regexp) and not is_anchored(each.regex.pattern)
    ]
    assert loose == []


def is_anchored(pattern):
    return pattern.startswith(r"\A") and pattern.endswith(r"\Z")


def test_no_pattern_of_the_code_ends_with_a_dollar():
    """`$` matches before a line feed at the end too; a text is held whole by \\Z or fullmatch."""
    loose = [
        f"{shown(path)}:{node.lineno}: {node.value}"
        for path in every_source()
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and is_a_loose_pattern(node.value)
    ]
    assert loose == []


def is_a_loose_pattern(text):
    return (
        text.startswith("^")
        and text.endswith(("$", r"$(?!\n)"))
        and len(text) > 3
        and "\\A" not in text
        and not text.startswith("^[!-~]")  # as published, in the language of JSON Schema
    )


TEXT_TYPES = {
    name: kind
    for name, kind in vars(texts).items()
    if getattr(kind, "__origin__", None) is str
    and kind.__metadata__[0].pattern not in {None, texts.NOTE_PATTERN}
}


@pytest.mark.parametrize("name", sorted(TEXT_TYPES))
def test_no_type_of_text_admits_a_line_feed_at_its_end(name):
    """What made a month stay open: `L1` and a line feed."""
    kind = TEXT_TYPES[name]
    good = GOOD[name]
    assert msgspec.convert(good, kind) == good
    for bad in (f"{good}\n", f"\n{good}", f"{good}\r", f"{good}\x00", f"{good}\x85", f"{good}\u2028", ""):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(bad, kind)


GOOD = {
    "Id": "0199b1c0-0000-7000-8000-000000000001",
    "Reference": "S001-2026/1",
    "Branch": "S001",
    "Staff": "pharmacist-7",
    "Name": "device",
    "Sha256": "ab" * 32,
    "Lot": "L1 批",
    "Label": "阿莫西林胶囊 0.25 g",
    "Day": "2026-03-03",
    "AnyDay": "9999-12-31",
    "Month": "2026-03",
    "Instant": "2026-03-03T01:02:03.000004+00:00",
}


@given(st.text(max_size=70))
def test_msgspec_and_marshmallow_judge_a_text_alike(text):
    field = fields.String(validate=validators.of(texts.Lot))
    try:
        msgspec.convert(text, texts.Lot)
        accepted = True
    except msgspec.ValidationError:
        accepted = False
    assert accepted == is_valid(field, text)


@pytest.mark.parametrize(
    "text", ["", " ", "\u3000", "\u200b", "\xa0\ufeff", "a\u202eb", "a\x9f", "\ud800", "\uffff"]
)
def test_a_text_without_a_visible_character_or_with_one_that_deceives_is_refused(text):
    for accepted in (validators.line(9), validators.note(9)):
        assert not is_valid(fields.String(validate=accepted), text)


def test_only_a_note_has_lines():
    assert is_valid(fields.String(validate=validators.note(9)), "a\r\n\tb")
    assert not is_valid(fields.String(validate=validators.note(9)), "\r\n\t")
    assert not is_valid(fields.String(validate=validators.line(9)), "a\nb")
    assert is_valid(fields.String(validate=validators.maybe_line(9)), "")


def is_valid(field, text):
    try:
        field.deserialize(text)
    except Exception:  # noqa: BLE001 - every refusal is a refusal
        return False
    return True


def test_a_long_hostile_text_is_judged_in_no_time():
    """Patterns are linear: no text makes one look back over what it read."""
    for hostile in (" " * 100_000 + "\n", "a" * 100_000 + "\n", " a" * 50_000 + "\x00"):
        assert re.match(texts.LINE_PATTERN, hostile) is None
        assert re.match(texts.NOTE_PATTERN, hostile + "\x00") is None
