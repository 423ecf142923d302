"""The refusals of each operation, for its service to publish: services/*/src/<package>/refusals.json.

Found in the sources (deploy.generate.reach): what an operation's view may come to raise, what the edge refuses before it
(tokens, roles, bodies, arguments), and what becomes of a database that is busy. An upload answers each line by itself:
what is refused of a line alone is listed apart. Each refusal has its code, its status, what it says and what to do.
"""

import importlib
import inspect
from collections.abc import Collection, Iterator
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any

from flask import Flask

from deploy.generate.errors import EDGE, refusals_of, sentences
from deploy.generate.general import GENERAL
from deploy.generate.openapi import application
from deploy.generate.reach import Graph, Guard, Target
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
    """The codes that an operation of any service may answer: of the whole request, of a line, or as a fault that it tells of."""
    refused = {code for package in SERVICES for code in _document(package)["refusals"]}
    views = {_inner(view) for package in SERVICES for _, view, *_ in _operations(application(package))}
    return refused | _raised(tuple(sorted(views)), also_caught=True)


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
    mine = _inner(view)
    codes = _raised(tuple(edge), is_answered=True) | _raised((mine,))
    codes |= {"malformed", "too_large"} if body else set()
    codes |= {"no_such_address"} if "<" in rule else set()
    if not getattr(view, "is_command", False) and not body:
        codes -= _raised((("shared.admission", "Admission.grant"),), is_answered=True)
    found = {"refused": sorted(codes)}
    if getattr(view, "is_upload", False):
        found["refused_in_lines"] = sorted(_raised((mine,), also_caught=True) - codes)
    return found


def _inner(view: Any) -> Target:
    """A view that is made in a function is that function's."""
    inner = inspect.unwrap(view)
    return inner.__module__, inner.__qualname__.partition(".")[0]


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
def _raised(start: tuple[Target, ...], *, also_caught: bool = False, is_answered: bool = False) -> set[str]:
    """The codes that come out of `start`; `is_answered`: what is made there is answered, not raised."""
    but = frozenset() if RATIONS in start else frozenset({RATIONS})
    reached = _graph().reached(start, also_caught=also_caught, but=but)
    raising = {each.target[0].partition(".")[0] for each in reached if _graph().nodes[each.target].is_raiser}
    return {
        _classes()[each.target].code
        for each in reached
        if each.target in _classes()
        and (also_caught or is_answered or not each.maker or each.maker in raising)
        and _comes_through(each.target, each.guard)
    }


def _comes_through(refusal: Target, guard: Guard) -> bool:
    return not any(_is_one(refusal, caught) and not _is_one(refusal, again) for caught, again in guard)


def _is_one(refusal: Target, of: Collection[Target]) -> bool:
    return any(issubclass(_classes()[refusal], _class_of(each)) for each in of)


@cache
def _class_of(target: Target) -> type:
    found = getattr(importlib.import_module(target[0]), target[1])
    assert isinstance(found, type)
    return found


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
