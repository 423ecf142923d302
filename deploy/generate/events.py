"""Who tells whom what: docs/events.md, from the declared types, the examples and the consumers' own code."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from deploy.generate.payloads import components
from deploy.generate.repository import GENERATED, ROOT, SERVICES, Example, examples, parsed, sources_of
from shared.events import TYPE, routing_key

READ_IN = {"subscriptions.py", "reactions.py", "projections.py"}
"""Modules in which a consumer names the types it reads; each of them may be a package instead."""


def documents() -> dict[Path, str]:
    """A table of all events, then the fields of each."""
    known = examples()
    readers = readers_by_type()
    lines = [
        "# Events",
        "",
        GENERATED,
        "",
        "Every fact a service tells the others, as its type declares it and an example message shows it.",
        "The same as JSON Schema, with every bound, is in `services/*/contracts/asyncapi.json`;",
        "[consuming-events.md](consuming-events.md) says how a program of yours reads them.",
        "Amounts are whole fen and stay below ten trillion yuan, days are those of Shanghai, ids are UUIDs.",
        "Fields may be added; a field that is there keeps its meaning until the version in the type rises.",
        "Any consumer may read any event; those listed are the ones that do.",
        "Reporting stores a fact of every event that a report needs.",
        "",
        "| producer | event | read by |",
        "|---|---|---|",
    ]
    for example in known:
        read_by = ", ".join(sorted(readers[example.type])) or "nobody yet"
        lines.append(f"| {example.producer} | [{example.type}](#{anchor_of(example.type)}) | {read_by} |")
    for example in known:
        lines += _section(example)
    return {ROOT / "docs" / "events.md": "\n".join(lines) + "\n"}


def readers_by_type() -> dict[str, set[str]]:
    """The services whose subscription, reaction or projection code names the type of another service's event."""
    found: dict[str, set[str]] = defaultdict(set)
    for package in SERVICES:
        for path in sources_of(package):
            if path.name not in READ_IN and f"{path.parent.name}.py" not in READ_IN:
                continue
            for node in ast.walk(parsed(path)):
                value = node.value if isinstance(node, ast.Constant) else None
                if isinstance(value, str) and TYPE.match(value) and not value.startswith(f"{package}."):
                    found[value].add(package)
    return found


def _section(example: Example) -> list[str]:
    payloads, named = components(example.producer)
    description = _resolved(payloads[example.type], named).get("description")
    lines = [
        "",
        f"## {example.type}",
        "",
        *([description, ""] if description else []),
        f"Routing key `{routing_key(example.type)}`, subject: one {example.type.split('.')[1].replace('_', ' ')}.",
        "",
        "| field | form | example |",
        "|---|---|---|",
    ]
    return lines + [
        f"| `{name}` | {form} | {shown} |"
        for name, form, shown in _fields(payloads[example.type], named, example.data)
    ]


def _fields(
    schema: dict[str, Any], named: dict[str, Any], example: Any, prefix: str = ""
) -> Iterator[tuple[str, str, str]]:
    """Every declared field with its form, and what the example has there."""
    schema = _resolved(schema, named)
    for name, declared in schema.get("properties", {}).items():
        value = example.get(name, _NOT_THERE) if isinstance(example, dict) else _NOT_THERE
        form = _form(declared, named) + ("" if name in schema["required"] else "; may be left out")
        inner = _resolved(declared, named)
        is_list = inner.get("type") == "array"
        within = _resolved(inner["items"], named) if is_list else inner
        is_simple = "properties" not in within
        yield f"{prefix}{name}", form, _shown(value) if is_simple else ""
        if not is_simple:
            first = next(iter(value), _NOT_THERE) if is_list and isinstance(value, list) else value
            yield from _fields(within, named, first, f"{prefix}{name}{'[]' if is_list else ''}.")


def _resolved(schema: dict[str, Any], named: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = named[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    return found


def _form(schema: dict[str, Any], named: dict[str, Any]) -> str:
    """In words: the description of its type, its words, its bounds."""
    if "anyOf" in schema:
        return " or ".join(_form(each, named) for each in schema["anyOf"])
    schema = _resolved(schema, named)
    if "enum" in schema:
        return "one of " + ", ".join(f"`{each}`" for each in schema["enum"])
    kind = str(schema.get("type"))
    if kind == "array":
        least, most = schema.get("minItems", 0), schema["maxItems"]
        items = _resolved(schema["items"], named)
        of = "" if "properties" in items else f", each {_form(items, named)}"
        return f"list of {least} to {most:,}{of}"
    plain = {"null": "null", "boolean": "true or false", "object": "object"}
    return plain.get(kind) or str(schema["description"])


_NOT_THERE = object()


def _shown(value: Any) -> str:
    if value is _NOT_THERE:
        return ""
    if isinstance(value, list):
        return ", ".join(f"`{each}`" for each in value)
    return f"`{'null' if value is None else str(value).lower() if isinstance(value, bool) else value}`"


def anchor_of(event_type: str) -> str:
    """Where docs/events.md describes the type."""
    return event_type.replace(".", "")
