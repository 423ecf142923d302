"""What each operation may be refused with, in its OpenAPI document: by status each code, what it says and what to do.

It is read from `refusals.json` of the service, which `make generate` finds in the sources (deploy.generate.refusals). Each
refusal is one named example of a problem document; an answer that several operations share is described once.
tests/support/judged.py refuses every answer of every test whose code its operation does not list.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

import orjson

from shared.service import files_of

SHARED_FROM = 3
"""Operations with the same refusals of a status, from which on these are described once for all."""
METHODS = ("get", "post", "put", "patch", "delete")
_LATER = {429, 503}
Key = tuple[str, tuple[str, ...]]


def describe(document: dict[str, Any], package: str) -> None:
    """Put the refusals into the document, in the place of what flask-smorest says of errors."""
    found = of_package(package)
    told = found["refusals"]
    examples = {code: _example(code, each) for code, each in told.items()}
    document["components"]["examples"] = examples
    shared: dict[str, Any] = {}
    document["components"]["responses"] = shared
    operations = {each["operationId"]: each for each in _operations(document)}
    by_status: dict[str, dict[str, tuple[str, ...]]] = {}
    for name, operation in operations.items():
        responses = operation["responses"]
        for status in [each for each in responses if each == "default" or each[0] in "45"]:
            del responses[status]
        here = found["operations"].get(name, {})
        by_status[name] = _by_status(here.get("refused", ()), told)
        if lines := here.get("refused_in_lines"):
            operation["x-refused-in-lines"] = lines
    names = _names(Counter(item for each in by_status.values() for item in each.items()), told)
    for name, each in by_status.items():
        for key in each.items():
            reference = names.get(key)
            if reference is None:
                operations[name]["responses"][key[0]] = _response(*key)
                continue
            shared.setdefault(reference, _response(*key))
            operations[name]["responses"][key[0]] = {"$ref": f"#/components/responses/{reference}"}


def of_package(package: str) -> dict[str, Any]:
    """The generated refusals of a service: `operations` and `refusals`."""
    found: dict[str, Any] = {"operations": {}, "refusals": {}}
    for path in files_of(package, "refusals.json"):
        found = orjson.loads(path.read_bytes())
    return found


def _operations(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for methods in document["paths"].values():
        yield from (methods[method] for method in METHODS if method in methods)


def _by_status(codes: list[str], told: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = defaultdict(list)
    for code in codes:
        found[str(told[code]["status"])].append(code)
    return {status: tuple(each) for status, each in sorted(found.items())}


def _names(counted: Counter[Key], told: dict[str, Any]) -> dict[Key, str]:
    """A name for each answer that several operations share: the phrase of its status, and a number from the second on."""
    names: dict[Key, str] = {}
    numbers: Counter[str] = Counter()
    for key, times in sorted(counted.items(), key=lambda each: (-each[1], each[0])):
        if times >= SHARED_FROM:
            phrase = told[key[1][0]]["title"].replace(" ", "")
            numbers[phrase] += 1
            names[key] = phrase + (str(numbers[phrase]) if numbers[phrase] > 1 else "")
    return names


def _response(status: str, codes: tuple[str, ...]) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "description": f"Refused, and nothing was changed: {', '.join(f'`{code}`' for code in codes)}.",
        "content": {
            "application/problem+json": {
                "schema": {"$ref": "#/components/schemas/Problem"},
                "examples": {code: {"$ref": f"#/components/examples/{code}"} for code in codes},
            }
        },
    }
    if int(status) in _LATER:
        seconds = {"type": "integer", "minimum": 0}
        answer["headers"] = {"Retry-After": {"description": "In how many seconds.", "schema": seconds}}
    return answer


def _example(code: str, told: dict[str, Any]) -> dict[str, Any]:
    says = told["says"] or "what was found, in one sentence"
    return {
        "summary": says,
        "description": told["do"],
        "value": {
            "type": f"urn:apotheca:problem:{code}",
            "title": told["title"],
            "status": told["status"],
            "code": code,
            "detail": says,
        },
    }
