"""Words for properties of requests, answers and events: no document leaves one without.

What a schema says of its own property in a sentence wins. Else the service says it in its `properties.json`: by `Schema.property` where
it means something of its own, by `property` where it means the same in all of the service. Else the name says it, whole or
by its end, which means the same everywhere and also names the unit.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import orjson

from shared.service import files_of

NAMED: Final = {
    "limit": "How many rows a page holds at most.",
    "items": "The rows that were asked for.",
    "cursor": "`next_cursor` of the page before; left out, the first page.",
    "next_cursor": "Give it as `cursor` for the next page; null on the last.",
    "from": "First day, included: a date in Asia/Shanghai.",
    "until": "Last day, included: a date in Asia/Shanghai.",
    "from_month": "First month, included, written YYYY-MM.",
    "until_month": "Last month, included, written YYYY-MM.",
    "month": "A month of business dates in Asia/Shanghai, written YYYY-MM.",
    "year": "A calendar year.",
    "day": "A date in Asia/Shanghai.",
    "as_of": "The end of this day, in Asia/Shanghai; left out, today.",
    "lang": "Language of the paper.",
    "by": "What one row stands for.",
    "version": "Which version; versions count from 1.",
    "fen": "Amount in fen: 100 are 1 yuan.",
    "currency": "ISO 4217.",
    "decision": "The word of the state that it leads to; a rejection states its reason.",
    "reason": "Why, in words of who does it.",
}
ENDED: Final = {
    "_bp": "In basis points: 10000 are 100 %.",
    "_on": "A date in Asia/Shanghai.",
    "_at": "An instant, with its offset.",
    "_fen": "In fen: 100 are 1 yuan.",
    "_days": "In days.",
    "_seconds": "In seconds.",
    "_s": "In seconds.",
    "_ms": "In milliseconds.",
    "_reason": "Why, in words of who did it.",
    "_sha256": "SHA-256, in hex.",
    "_by": "The subject of the token of who did it.",
}
_FORMS: Final = frozenset(ENDED[end] for end in ("_fen", "_bp", "_s", "_seconds", "_on", "_at"))
"""What a form says as well, with its bounds."""


def of_package(package: str) -> dict[str, str]:
    """What the service says of properties, by `property` or `Schema.property`."""
    found: dict[str, str] = {}
    for path in files_of(package, "properties.json"):
        found |= orjson.loads(path.read_bytes())
    return found


def describe(schemas: Mapping[str, Any], package: str) -> None:
    """Say of every property what it is and then the form that its type says, in place.

    A form ends without a full stop: "1 to 64 of letters and digits". What ends with one says it already.
    """
    known = of_package(package)
    for schema_name, schema in schemas.items():
        for name, inner in properties(schema):
            told = inner.get("description", "")
            if not told.endswith("."):
                said = _said(known, schema_name, name, told)
                if said:
                    inner["description"] = said


def _said(known: Mapping[str, str], schema_name: str, name: str, form: str) -> str:
    """`limit_fen` is what `limit` is, in fen."""
    of_all = known.get(name) or NAMED.get(name)
    meaning = known.get(f"{schema_name}.{name}") or of_all or known.get(name.removesuffix("_fen"))
    unit = by_its_end(name) if meaning is None or name.endswith("_fen") else None
    if form and unit in _FORMS:
        unit = None
    parts = (meaning, unit, f"{form[:1].upper()}{form[1:]}." if form else None)
    return " ".join(each for each in parts if each)


def by_its_end(name: str) -> str | None:
    """`paid_on` is a date, `order_id` names an order."""
    if name.endswith("_id"):
        return f"The {name.removesuffix('_id').replace('_', ' ')}, by its id."
    return next((said for end, said in ENDED.items() if name.endswith(end)), None)


def properties(schema: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every property below a schema, however deep, with its name."""
    if isinstance(schema, list):
        for each in schema:
            yield from properties(each)
    elif isinstance(schema, dict):
        for name, inner in schema.get("properties", {}).items():
            yield name, inner
            yield from properties(inner)
        for key in ("items", "additionalProperties", "anyOf", "allOf", "oneOf"):
            yield from properties(schema.get(key))
