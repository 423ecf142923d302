"""Who tells whom what: docs/events.md, from the producers' examples and the consumers' own code."""

import ast
from collections import defaultdict
from pathlib import Path
from typing import Any

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
        "Every fact a service tells the others, from the example messages in `services/*/contracts/events/`.",
        "Any consumer may read any event; those listed are the ones that do.",
        "Reporting stores a fact of every event that a report needs.",
        "",
        "| producer | event | read by |",
        "|---|---|---|",
    ]
    for example in known:
        read_by = ", ".join(sorted(readers[example.type])) or "nobody yet"
        lines.append(f"| {example.producer} | [{example.type}](#{_anchor(example.type)}) | {read_by} |")
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
    lines = [
        "",
        f"## {example.type}",
        "",
        f"Routing key `{routing_key(example.type)}`, subject: one {example.type.split('.')[1].replace('_', ' ')}.",
        "",
        "| field | form | example |",
        "|---|---|---|",
    ]
    return lines + [
        f"| `{name}` | {form} | {f'`{shown}`' if shown else ''} |"
        for name, form, shown in _fields(example.data)
    ]


def _fields(data: dict[str, Any], prefix: str = "") -> list[tuple[str, str, str]]:
    rows: list[tuple[str, str, str]] = []
    for name, value in data.items():
        path = f"{prefix}{name}"
        if isinstance(value, dict):
            rows += [(path, "object", ""), *_fields(value, f"{path}.")]
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            rows += [(path, "list", ""), *_fields(value[0], f"{path}[].")]
        else:
            rows.append((path, _form(value), _shown(value)))
    return rows


def _form(value: Any) -> str:
    if value is None:
        return "null or text"
    if isinstance(value, bool):
        return "yes or no"
    if isinstance(value, int):
        return "integer"
    return "list" if isinstance(value, list) else "text"


def _shown(value: Any) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if value is not None else "null"


def _anchor(event_type: str) -> str:
    return event_type.replace(".", "")
