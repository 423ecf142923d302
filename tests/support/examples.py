"""Examples of operations: taken out of a service's document and sent to it, or recorded from it.

What a document shows is sent as it is, but for what only a particular database knows. From the world it is sent to come

- ids of what is there: names that end with `_id` or `_ids`, keys in addresses;
- days, months and instants, of which many must lie near today;
- names in `OF_THE_WORLD`.
"""

import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import orjson

from deploy.generate.repository import json_text
from shared.documentation import ARGUMENT
from tests.support.worlds import THEIRS

OF_THE_WORLD = frozenset({"token", "file"})
"""The one-time token of a survey; a bank's file, whose days must be over and follow those before."""
TIME = re.compile(r"\d{4}-\d{2}(-\d{2})?(T[\d:.]+(Z|[+-]\d{2}:\d{2}))?")
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
LINES = "application/x-ndjson"
BRANCH = "SH-010"
"""As documents call the branch of the worlds."""
ITEMS_MAX = 2
LINES_MAX = 3
WORDS = {
    "reason": "包装在运输中破损 (box damaged in transport)",
    "subject": "Box arrived torn",
    "solution": "A new box at the next delivery",
    "resolution": "Exchanged, and the courier told",
    "cause": "A figure was typed wrong",
    "title": "A gift with two boxes",
    "terms": "One for each customer, while there are any",
    "issuer": "市场监督管理局",
    "proof_refs": "photo-2026-0142",
    "quarantine_location": "returns-area-1",
    "purpose_text": "Training of pharmacists",
    "handler": "lin.agent",
    "summary": "门店房租",
    "note": "Checked against the paper",
    "outcome": "reached",
}
"""What people would write where the worlds of tests have a single letter."""


def fitted(shown: Any, known: Any, name: str = "") -> Any:
    """The example with what comes from the world: `known` is what this world sends to the operation."""
    if isinstance(shown, dict):
        known = known if isinstance(known, dict) else {}
        return {key: fitted(value, known.get(key), key) for key, value in shown.items()}
    if isinstance(shown, list):
        known = known if isinstance(known, list) else []
        return [fitted(each, known[no] if no < len(known) else None, name) for no, each in enumerate(shown)]
    is_of_the_world = name in OF_THE_WORLD or name.endswith(("_id", "_ids"))
    if known is None or not (is_of_the_world or (isinstance(shown, str) and TIME.fullmatch(shown))):
        return shown
    return known


def worded(body: Any, name: str = "") -> Any:
    """The body of a test with words in the place of single letters."""
    if isinstance(body, dict):
        return {key: worded(value, key) for key, value in body.items()}
    if isinstance(body, list):
        return [worded(each, name) for each in body]
    return WORDS.get(name, body) if isinstance(body, str) and len(body) == 1 else body


def operation_at(app: Any, method: str, rule: str) -> dict[str, Any] | None:
    """What the document says of a route; None of a page."""
    path = ARGUMENT.sub(r"{\1}", rule)
    found: dict[str, Any] | None = app.extensions["openapi"]["paths"].get(path, {}).get(method.lower())
    return found


def shown_in(operation: dict[str, Any]) -> dict[str, Any]:
    """The example of an operation, as its document has it."""
    found: dict[str, Any] = {
        "parameters": {each["name"]: each["example"] for each in operation["parameters"] if "example" in each}
    }
    for kind, described in operation.get("requestBody", {}).get("content", {}).items():
        if "example" in described:
            rows = kind == LINES
            found["body"] = orjson.loads(described["example"]) if rows else described["example"]
    return found


def known_parameters(asked: Any) -> dict[str, Any]:
    """By name what stands in the address of a call."""
    split = urlsplit(asked.path)
    found = re.fullmatch(ARGUMENT.sub(r"(?P<\1>[^/]+)", asked.rule), split.path)
    assert found, asked.path
    asked_for = found.groupdict() | dict(parse_qsl(split.query))
    return {name: _typed(value) for name, value in asked_for.items()}


def _typed(value: str) -> Any:
    return int(value) if value.isdigit() else {"true": True, "false": False}.get(value, value)


def address_of(asked: Any, shown: dict[str, Any]) -> str:
    """The address of a call with the parameters of an example: keys of the path are the world's."""
    known = known_parameters(asked)
    path = urlsplit(asked.path).path
    keys = set(ARGUMENT.findall(asked.rule))
    query = {name: fitted(value, known.get(name), name) for name, value in shown.items() if name not in keys}
    sent = {
        name: str(value).lower() if value is True or value is False else value
        for name, value in query.items()
    }
    return f"{path}?{urlencode(sent)}" if sent else path


def recorded(parameters: dict[str, Any], body: Any, answer: Any, *, is_upload: bool) -> dict[str, Any]:
    """What is kept of one call: short, and with ids that are the same in each recording."""
    found: dict[str, Any] = {"parameters": parameters} if parameters else {}
    if body is not None:
        found["body"] = orjson.dumps(body).decode() + "\n" if is_upload else body
    if answer.mimetype == "application/json":
        if answer.data:
            found["answer"] = _shortened(orjson.loads(answer.data))
    elif answer.mimetype.startswith("text/") or answer.mimetype == "application/x-ndjson":
        found["answer"] = "".join(answer.text.splitlines(keepends=True)[:LINES_MAX])
    return _renumbered(found)


def _shortened(value: Any) -> Any:
    if isinstance(value, list):
        return [_shortened(each) for each in value[:ITEMS_MAX]]
    if isinstance(value, dict):
        return {key: _shortened(each) for key, each in value.items()}
    return value


def _renumbered(found: dict[str, Any]) -> dict[str, Any]:
    numbers: dict[str, str] = {}
    text = UUID.sub(
        lambda each: numbers.setdefault(each[0], f"01960000-0000-7000-8000-{len(numbers) + 1:012}"),
        orjson.dumps(found).decode().replace(THEIRS, BRANCH),
    )
    renumbered: dict[str, Any] = orjson.loads(text)
    return renumbered


def keep(examples: dict[Path, dict[str, Any]]) -> None:
    """Write each area's examples."""
    for area, found in examples.items():
        path = area / "data" / "examples.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json_text(found))
