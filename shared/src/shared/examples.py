"""An example of each operation in its OpenAPI document: its parameters, its body, and what it answers.

An area keeps the examples of its operations in `data/examples.json`, by operationId: `parameters` by name, `body` and
`answer` as they were sent and told. `make examples` records them from the services; a test takes each out of the document
and sends it (tests/integration/test_whatever_any_route_accepts_is_applied.py).
"""

from typing import Any

import orjson

from shared.service import files_of

METHODS = ("get", "post", "put", "patch", "delete")


def describe(document: dict[str, Any], package: str) -> None:
    """Put the examples of the service's areas into the document."""
    known = of_package(package)
    for methods in document["paths"].values():
        common = methods.pop("parameters", [])
        for method in METHODS:
            if method in methods:
                operation = methods[method]
                # A path's parameters are told of each operation: each has its own example.
                operation["parameters"] = [*({**each} for each in common), *operation.get("parameters", ())]
                _describe_operation(operation, known.get(operation["operationId"], {}))


def of_package(package: str) -> dict[str, Any]:
    """Every example of a service by operationId."""
    found: dict[str, Any] = {}
    for path in files_of(package, "data/examples.json"):
        found |= orjson.loads(path.read_bytes())
    return found


def _describe_operation(operation: dict[str, Any], example: dict[str, Any]) -> None:
    for parameter in operation["parameters"]:
        if parameter["name"] in example.get("parameters", ()):
            parameter["example"] = example["parameters"][parameter["name"]]
    if "body" in example:
        _first_content(operation["requestBody"])["example"] = example["body"]
    if "answer" in example:
        status = next(each for each in sorted(operation["responses"]) if each.startswith("2"))
        _first_content(operation["responses"][status])["example"] = example["answer"]


def _first_content(described: dict[str, Any]) -> dict[str, Any]:
    content: dict[str, Any] = next(iter(described["content"].values()))
    return content
