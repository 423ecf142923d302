"""What the OpenAPI document says of an operation beyond its schemas: a name, and words for what has none.

The name follows from method and address (docs/http.md), so that it stays when functions are renamed, and is unique
because addresses are: `post /v1/orders/{order_id}/cancel` is `cancel_order`. What answers with `items` is listed.
Words for parameters follow from their names (shared.vocabulary); what a service says of its own wins.
"""

import re
from typing import Any, Final

from shared.texts import BRANCH_PATTERN, FIRST_DAY, LABEL_CHARS_MAX, LAST_DAY, MONTH_PATTERN
from shared.vocabulary import NAMED, by_its_end

FILES: Final = frozenset({"pdf", "xlsx", "csv", "ndjson", "beancount"})
WRITES: Final = {"put": "replace", "patch": "update", "delete": "delete"}
KEYS: Final[dict[str, dict[str, Any]]] = {
    "month": {"pattern": MONTH_PATTERN, "maxLength": 7},
    "branch_id": {"pattern": BRANCH_PATTERN},
    "year": {"minimum": FIRST_DAY.year, "maximum": LAST_DAY.year},
}
"""What a key in an address may be; another is of nothing that is there."""
KEY: Final[dict[str, dict[str, Any]]] = {
    "string": {"pattern": r"\A[^/]+\Z", "maxLength": LABEL_CHARS_MAX},
    "integer": {"minimum": 1, "maximum": 2**63 - 1},
}


def singular(noun: str) -> str:
    """`bank-matches` is `bank-match`, `lot-expiries` is `lot-expiry`."""
    if noun.endswith("ies"):
        return noun[:-3] + "y"
    return noun[:-2] if re.search(r"(?:ch|sh|ss|x)es$", noun) else noun.removesuffix("s")


def operation_id(method: str, path: str, *, is_list: bool = False) -> str:
    """`<verb>_<noun>` of an address: `list_orders`, `get_order_pdf`, `decide_expense_claim_overrun`."""
    parts = path.removeprefix("/v1/").strip("/").split("/")
    nouns = [_noun_at(parts, place) for place, part in enumerate(parts) if not part.startswith("{")]
    if method in WRITES:
        return _joined(WRITES[method], *nouns)
    last = parts[-1]
    if method == "get":
        return _joined("list" if is_list else "get", *nouns)
    if last == "bulk":
        step = "upload" if len(parts) == 2 else "decide" if parts[1] == "decisions" else parts[1]
        return _joined(step, parts[0])
    if last == "decisions":
        return _joined("decide", *nouns[:-1])
    if len(parts) == 1 or _is_collection(last):
        return _joined("create", *nouns[:-1], singular(last))
    return _joined(last, *nouns[:-1])


def _noun_at(parts: list[str], place: int) -> str:
    """A noun in the singular where it means one thing: before a key."""
    is_last = place == len(parts) - 1
    return parts[place] if is_last else singular(parts[place])


def _is_collection(part: str) -> bool:
    return not part.startswith("{") and part not in FILES and part.endswith("s") and not part.endswith("ss")


def _joined(*words: str) -> str:
    return re.sub(r"\W+", "_", "_".join(words))


def describe(document: dict[str, Any]) -> None:
    """Give names and words to what has none: operations and parameters."""
    document["servers"] = [
        {"url": "./", "description": "Where this document is: `/<service>/` of the gateway."}
    ]
    for path, operations in document.get("paths", {}).items():
        for each in operations.get("parameters", ()):
            _describe_parameter(each)
        for method, operation in operations.items():
            if method in {"get", "post", *WRITES}:
                _describe_operation(document, method, path, operation)


def _describe_operation(document: dict[str, Any], method: str, path: str, operation: dict[str, Any]) -> None:
    operation["operationId"] = operation_id(method, path, is_list=_is_list(document, path, operation))
    told = [operation.get("summary", ""), operation.get("description", "")]
    operation["description"] = "\n\n".join(each for each in told if each)
    operation["summary"] = operation["operationId"].replace("_", " ").capitalize()
    for each in operation.get("parameters", ()):
        _describe_parameter(each)


def _describe_parameter(told: dict[str, Any]) -> None:
    """Words, and the form of a key of the address, which Flask takes as it comes."""
    name, schema = told["name"], told["schema"]
    told.setdefault("description", words_of(name, schema, told["in"]))
    if told["in"] == "path" and schema.get("format") != "uuid":
        told["schema"] = {**schema, **KEYS.get(name, KEY[schema["type"]])}


def _is_list(document: dict[str, Any], path: str, operation: dict[str, Any]) -> bool:
    """Whether it answers with `items` at the address of a collection."""
    content = operation["responses"].get("200", {}).get("content", {}).get("application/json", {})
    schema = content.get("schema", {})
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    items = schema.get("properties", {}).get("items", {})
    return items.get("type") == "array" and _is_collection(path.rpartition("/")[2])


def words_of(name: str, schema: dict[str, Any], place: str) -> str:
    """What a parameter means, by its name and type."""
    if name in NAMED:
        return NAMED[name]
    told = name.replace("_", " ")
    kind = schema.get("type", "string")
    kinds = {kind} if isinstance(kind, str) else set(kind)
    if place == "header":
        return "One per intended change, at most 128 visible ASCII characters: the same again is answered the same."
    if place == "path":
        return f"Which {told.removesuffix(' id')} is meant."
    if "boolean" in kinds:
        adjective = told.removeprefix("is ").removeprefix("has ")
        return f"`true`: only what is {adjective}; `false`: only what is not."
    end = None if name.endswith("_id") else by_its_end(name)
    return f"Only of this {told.removesuffix(' id')}." + (f" {end}" if end else "")
