"""Shapes of the OpenAPI document: what every answer has, amounts of money and words of choice as clients read them.

Each field of an answer is always there, unless its schema says otherwise: one that is left out when there is nothing to
say is declared with `metadata=SOMETIMES`; one that is there and holds nothing has `allow_none=True`. tests/support/judged.py
holds every answer that a test gets against the document.

An amount of money is a named shape, and a choice that may be null is a choice or null: so that a generated client has one
class for each.
"""

from collections.abc import Iterator
from typing import Any, Final

from shared.money import FEN_MAX
from shared.texts import SUM_MAX

SOMETIMES: Final = {"x-sometimes": True}
_SCHEMAS = "#/components/schemas/"
_AMOUNT: Final = {"type": "object", "additionalProperties": False, "required": ["fen", "currency"]}
_CURRENCY: Final = {"type": "string", "const": "CNY", "default": "CNY"}


def describe(document: dict[str, Any]) -> None:
    """Complete the schemas of a document in place."""
    schemas = document["components"]["schemas"]
    sent, told = set[str](), set[str]()
    for operation in _operations(document):
        _gather(operation.get("requestBody"), schemas, sent)
        _gather(_successes(operation), schemas, told)
    amounts: dict[str, Any] = {}
    for name, schema in schemas.items():
        _name_amounts(schema, amounts, is_answer=name in told - sent)
        _divide_choices(schema, "")
    for operation in _operations(document):
        for parameter in operation.get("parameters", ()):
            _require_value(parameter["schema"])
        for described in (operation.get("requestBody", {}), *_successes(operation)):
            _say_files(described.get("content", {}))
    for name in told - sent:
        _require_all(schemas[name])
    schemas |= amounts


def _require_all(schema: dict[str, Any]) -> None:
    properties = schema.get("properties", {})
    required = [name for name, inner in properties.items() if not inner.pop("x-sometimes", False)]
    if required:
        schema["required"] = sorted(required)


def _operations(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for methods in document["paths"].values():
        yield from (each for each in methods.values() if isinstance(each, dict))


def _successes(operation: dict[str, Any]) -> list[Any]:
    return [each for status, each in operation["responses"].items() if status.startswith("2")]


def _gather(part: Any, schemas: dict[str, Any], found: set[str]) -> None:
    """The names of all schemas that `part` refers to, and those again."""
    if isinstance(part, list):
        for each in part:
            _gather(each, schemas, found)
    elif isinstance(part, dict):
        name = str(part.get("$ref", "")).removeprefix(_SCHEMAS)
        if name in schemas and name not in found:
            found.add(name)
            _gather(schemas[name], schemas, found)
        for each in part.values():
            _gather(each, schemas, found)


def _name_amounts(part: Any, amounts: dict[str, Any], *, is_answer: bool) -> None:
    """Put a reference in the place of each amount below `part`."""
    children = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
    for key, inner in children:
        if not isinstance(inner, dict) or set(inner.get("properties", ())) != {"fen", "currency"}:
            _name_amounts(inner, amounts, is_answer=is_answer)
            continue
        fen = dict(inner["properties"]["fen"])
        name = _amount_name(fen, is_answer=is_answer)
        shape = {**_AMOUNT, "properties": {"fen": fen, "currency": {**_CURRENCY}}}
        amounts[name] = shape
        reference = {"$ref": _SCHEMAS + name}
        rest = {name: value for name, value in inner.items() if name not in shape}
        may_be_null = inner["type"] != "object"
        part[key] = rest | ({"anyOf": [reference, {"type": "null"}]} if may_be_null else reference)


def _amount_name(fen: dict[str, Any], *, is_answer: bool) -> str:
    """`Money` is what answers tell, also sums of many documents."""
    least, most = fen["minimum"], fen["maximum"]
    if is_answer and (least, most) == (-FEN_MAX, FEN_MAX):
        fen |= {"minimum": -SUM_MAX, "maximum": SUM_MAX}
        return "Money"
    named = {-FEN_MAX: "MoneySigned", 0: "MoneyNotNegative", 1: "MoneyPositive"}.get(
        least, f"MoneyFrom{least}"
    )
    return named if most == FEN_MAX else f"{named}UpTo{most}"


def _say_files(content: dict[str, Any]) -> None:
    """What is no JSON is a file; `x-lines` is the shape of each of its lines. Of two kinds the second stays a text, so that a
    client tells them apart.
    """
    files = [described for kind, described in content.items() if kind != "application/json"]
    for described in files[:1]:
        shape = described.get("schema", {})
        told = {"description": shape["description"]} if "description" in shape else {}
        if "$ref" in shape:
            described["x-lines"] = shape
        described["schema"] = {"type": "string", "format": "binary", **told}


def _divide_choices(part: Any, name: str) -> None:
    """One of some words, or null: as a choice and null, each by itself."""
    if isinstance(part, list):
        for each in part:
            _divide_choices(each, name)
    elif isinstance(part, dict):
        for key, inner in part.items():
            _divide_choices(inner, key if key not in {"items", "properties", "anyOf"} else name)
        words = part.get("enum")
        if isinstance(words, list) and "null" in part.get("type", ()):
            chosen = {"type": "string", "enum": [each for each in words if each is not None], "title": name}
            del part["enum"], part["type"]
            part["anyOf"] = [chosen, {"type": "null"}]


def _require_value(schema: dict[str, Any]) -> None:
    """A parameter that is left out is not sent; none is sent as null."""
    if isinstance(schema.get("type"), list):
        [schema["type"]] = [each for each in schema["type"] if each != "null"]
    if None in schema.get("enum", ()):
        schema["enum"] = [each for each in schema["enum"] if each is not None]
    if "default" in schema and schema["default"] is None:
        del schema["default"]
