"""The refusals of each operation, for its service to publish: services/*/src/<package>/refusals.json.

Found in the sources (deploy.generate.reach): what an operation's view may come to raise, what the edge refuses before it
(tokens, roles, bodies, arguments), and what becomes of a database that is busy. An upload answers each line by itself:
what is refused of a line alone is listed apart. Each refusal has its code, its status, what it says and what to do.
"""

import inspect
from collections.abc import Iterator
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any

from flask import Flask

from deploy.generate.errors import EDGE, refusals_of, sentences
from deploy.generate.general import GENERAL
from deploy.generate.openapi import application
from deploy.generate.reach import Graph, Target
from deploy.generate.repository import SERVICES, json_text, sources_of
from shared.documentation import ARGUMENT
from shared.errors import DomainError

RATIONS: Target = ("shared.rations", "take")
EVERY: tuple[Target, ...] = (
    ("shared.app", "_open"),
    ("shared.problems", "database_problem"),
    ("shared.problems", "pool_problem"),
)
BODY: tuple[Target, ...] = (
    ("shared.arguments", "_Parser.load_json"),
    ("shared.arguments", "_Parser.handle_error"),
)
QUERY: tuple[Target, ...] = (("shared.arguments", "_Parser.load_querystring"),)
METHODS = ("get", "post", "put", "patch", "delete")


def documents() -> dict[Path, str]:
    return {_root(package) / "refusals.json": json_text(_document(package)) for package in SERVICES}


def answered() -> set[str]:
    """The codes that an operation of any service may answer, of the whole request or of a line."""
    documents = map(_document, SERVICES)
    return {code for each in documents for code in each["refusals"]}


def _root(package: str) -> Path:
    return next(path.parent for path in sources_of(package) if path.name == "app.py")


@cache
def _document(package: str) -> dict[str, Any]:
    operations = {name: _codes(*asked) for name, *asked in _operations(application(package))}
    used = {code for each in operations.values() for codes in each.values() for code in codes}
    return {"operations": operations, "refusals": {code: _told(code) for code in sorted(used)}}


def _operations(app: Flask) -> Iterator[tuple[str, Any, str, dict[str, Any]]]:
    """(operationId, view, rule, operation) of all that the document describes."""
    paths = app.extensions["openapi"]["paths"]
    for rule in app.url_map.iter_rules():
        methods = paths.get(ARGUMENT.sub(r"{\1}", rule.rule), {})
        for method in METHODS:
            if method.upper() in (rule.methods or ()) and method in methods:
                operation = methods[method]
                yield operation["operationId"], app.view_functions[rule.endpoint], rule.rule, operation


def _codes(view: Any, rule: str, operation: dict[str, Any]) -> dict[str, list[str]]:
    body = operation.get("requestBody", {}).get("content", {})
    asks = any(each["in"] == "query" for each in operation.get("parameters", ()))
    edge = [*EVERY, *(BODY if "application/json" in body else ()), *(QUERY if asks else ())]
    if getattr(view, "ration_share", 0):
        edge.append(RATIONS)
    inner = inspect.unwrap(view)
    mine = (
        inner.__module__,
        inner.__qualname__.partition(".")[0],
    )  # a view made in a function is that function's
    codes = _raised(tuple(edge)) | _raised((mine,))
    codes |= {"malformed", "too_large"} if body else set()
    codes |= {"no_such_address"} if "<" in rule else set()
    if not getattr(view, "is_command", False) and not body:
        codes -= _raised((("shared.admission", "Admission.grant"),))
    found = {"refused": sorted(codes)}
    if getattr(view, "is_upload", False):
        found["refused_in_lines"] = sorted(_raised((mine,), also_caught=True) - codes)
    return found


@cache
def _graph() -> Graph:
    return Graph()


@cache
def _classes() -> dict[Target, type[DomainError]]:
    return {
        (each.__module__, each.__qualname__): each
        for package in ("shared", *SERVICES)
        for each in refusals_of(package)
    }


@cache
def _raised(start: tuple[Target, ...], *, also_caught: bool = False) -> set[str]:
    but = frozenset() if RATIONS in start else frozenset({RATIONS})
    reached = _graph().reached(start, also_caught=also_caught, but=but)
    return {_classes()[each].code for each in reached if each in _classes()}


@cache
def _by_code() -> dict[str, type[DomainError]]:
    return {each.code: each for each in _classes().values()}


def _told(code: str) -> dict[str, Any]:
    if code in EDGE:
        status, says, cure = EDGE[code]
        return {"status": status, "title": HTTPStatus(status).phrase, "says": says, "do": cure}
    refusal = _by_code()[code]
    said = sentences().get(refusal.__name__, [])
    return {
        "status": refusal.status,
        "title": HTTPStatus(refusal.status).phrase,
        "says": " ".join(said[0].split()) if said else GENERAL[code][0],
        "do": refusal.cure,
    }
