"""The declared payload of every event, as JSON Schema: found in the services' `events` modules, made by msgspec."""

import importlib
from functools import cache
from typing import Any

import msgspec

from deploy.generate.repository import SERVICES, sources_of
from shared.texts import published

REF = "#/components/schemas/{name}"


@cache
def declared(package: str) -> dict[str, type]:
    """The payload type of each event type that `package` publishes, ordered by event type."""
    found: dict[str, type] = {}
    for path in sources_of(package):
        if path.name == "events.py" or path.parts[-2:] == ("events", "__init__.py"):
            parts = path.with_suffix("").parts
            name = ".".join(parts[parts.index("src") + 1 :]).removesuffix(".__init__")
            found.update(getattr(importlib.import_module(name), "PUBLISHED", {}))
    return dict(sorted(found.items()))


def every_declared() -> dict[str, type]:
    """The payload type of every event type of every service."""
    return {kind: each for package in SERVICES for kind, each in declared(package).items()}


def components(package: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The payload schema by event type, and the named schemas that they refer to.

    JSON Schema 2020-12 that is draft 07 too. Fields that are not named may come: a producer may add some.
    """
    types = declared(package)
    made, named = msgspec.json.schema_components(list(types.values()), ref_template=REF)
    payloads = dict(zip(types, made, strict=True))
    return _written(payloads), _written(named)


def schema_of(event_type: str) -> dict[str, Any]:
    """One payload as a JSON Schema that stands alone."""
    payloads, named = components(event_type.partition(".")[0])
    return {**payloads[event_type], "components": {"schemas": named}}


def _written(value: Any) -> Any:
    """As JSON Schema writes it: patterns without Python's anchors, and no type but text for a list of words."""
    if isinstance(value, dict):
        return {
            name: published(inner) if name == "pattern" and isinstance(inner, str) else _written(inner)
            for name, inner in value.items()
        }
    return [_written(each) for each in value] if isinstance(value, list) else value
