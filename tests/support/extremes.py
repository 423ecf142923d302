"""Bodies at the bounds that an OpenAPI document declares: a valid body with one of its values, or one more, changed."""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

from hypothesis import strategies as st

from tests.support.arbitrary_events import LETTERS, ODD

Path = tuple[str | int, ...]


def body_schema(document: Mapping[str, Any], method: str, path: str) -> Mapping[str, Any]:
    schema: Mapping[str, Any] = document["paths"][path][method]["requestBody"]["content"]["application/json"][
        "schema"
    ]
    return schema


def variations(
    document: Mapping[str, Any],
    schema: Mapping[str, Any],
    body: Any,
    *,
    keep: frozenset[str] = frozenset(),
    thinned: bool = False,
) -> Iterator[tuple[str, Any]]:
    """(what was changed, body) for each bound of each value; names in `keep` stay as they are.

    Thinned, a text is tried at its shortest and once at its longest, in another script for each field.
    """
    for no, (path, values) in enumerate(_bounds(document, schema, body, (), keep)):
        for value in _thin(values, no) if thinned else values:
            yield f"{'.'.join(map(str, path))} = {value!r:.60}", _with(body, {path: value})


def _thin(values: list[Any], no: int) -> list[Any]:
    if len(values) > len(ODD) and isinstance(values[0], str):
        return [values[0], values[1 + no % (len(values) - 1)]]
    return values


TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\u2028\u2029"), min_size=1)
CHANGED_MAX = 4


@st.composite
def mixtures(draw: st.DrawFn, document: Mapping[str, Any], schema: Mapping[str, Any], body: Any) -> Any:
    """The body with a few of its values changed at once: at their bounds, or text of any characters at full length."""
    found = list(_bounds(document, schema, body, (), frozenset()))
    if not found:
        return body
    chosen = draw(
        st.lists(st.sampled_from(found), min_size=1, max_size=CHANGED_MAX, unique_by=lambda each: each[0])
    )
    changes = {}
    for path, values in chosen:
        free = [each for each in values if isinstance(each, str) and ODD[0] in each]
        if free and draw(st.booleans()):
            most = max(len(each) for each in values)
            written = draw(TEXT)
            changes[path] = (written * most)[: draw(st.sampled_from([most, 1, most // 2 + 1]))]
        else:
            changes[path] = draw(st.sampled_from(values))
    return _with(body, changes)


def _with(body: Any, changes: Mapping[Path, Any]) -> Any:
    changed = deepcopy(body)
    for path, value in changes.items():
        holder = changed
        for step in path[:-1]:
            holder = holder[step]
        holder[path[-1]] = value
    return changed


def _bounds(
    document: Mapping[str, Any], schema: Mapping[str, Any], body: Any, path: Path, keep: frozenset[str]
) -> Iterator[tuple[Path, list[Any]]]:
    schema = _resolved(document, schema)
    if isinstance(body, list) and body:
        yield from _bounds(document, schema["items"], body[0], (*path, 0), keep)
        return
    if "properties" not in schema:
        if values := _extremes(schema):
            yield path, values
        return
    for name, inner in schema["properties"].items():
        if name in keep:
            continue
        given = (body or {}).get(name)
        inner_schema = _resolved(document, inner)
        if given is not None and ("properties" in inner_schema or inner_schema.get("type") == "array"):
            yield from _bounds(document, inner, given, (*path, name), keep)
        elif "properties" not in inner_schema and (values := _extremes(inner_schema)):
            yield (*path, name), [*values, *([None] if "anyOf" in inner else [])]


def _extremes(schema: Mapping[str, Any]) -> list[Any]:
    kinds = schema.get("type")
    kinds = {kinds} if isinstance(kinds, str) else set(kinds or ())
    if "const" in schema:
        return [schema["const"]]
    if "enum" in schema:
        return list(schema["enum"])
    if "integer" in kinds:
        return [schema["minimum"], schema["maximum"]]
    if "boolean" in kinds:
        return [False, True]
    if "array" in kinds and "string" in _kinds(schema["items"]):
        return [[each] for each in _extremes(schema["items"])]
    if "string" not in kinds:
        return []
    return _texts(schema)


def _texts(schema: Mapping[str, Any]) -> list[Any]:
    form, pattern = schema.get("format"), schema.get("pattern", "")
    if form == "date":
        return ["2000-01-01", "2099-12-31", "9999-12-31"]
    if form == "date-time":
        return ["2000-01-01T00:00:00Z", "2099-12-31T00:00:00+14:00"]
    if form == "uuid":
        return []
    most = schema.get("maxLength", 40)
    for kind, letters in LETTERS.items():
        if pattern and ":" not in letters and pattern.startswith(("^[A-Z0-9]", "^[a-z]")):
            first = "A" if pattern.startswith("^[A-Z") else "a"
            return [first, (first + "_0" * most)[:most]] if kind else []
    if pattern.startswith("^[A-Za-z0-9._:"):
        return [".", (LETTERS["Reference"] * most)[:most]]
    return ["x", *[(each * most)[:most] for each in ODD], " \t "[:1] + "x"]


def _kinds(schema: Mapping[str, Any]) -> set[str]:
    kinds = schema.get("type", ())
    return {kinds} if isinstance(kinds, str) else set(kinds)


def _resolved(document: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    while "$ref" in schema or "anyOf" in schema:
        if "anyOf" in schema:
            [schema] = [each for each in schema["anyOf"] if each.get("type") != "null"]
            continue
        found: Any = document
        for step in schema["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        schema = found
    return schema
