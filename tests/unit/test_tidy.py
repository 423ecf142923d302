"""The repository's rules about itself: what every module must have and may not do.

Calls are found in the syntax tree, not in the text, so that words in prose never fire.
"""

import ast
import importlib
import inspect
import json
import pkgutil
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from flask import Flask

from deploy.generate.openapi import application
from deploy.generate.repository import ROOT, SERVICES, every_source, parsed, shown, sources_of
from shared.errors import DomainError

FILE_LINES_MAX = 500

BANNED_CALLS = {
    "datetime.now": "shared.clock.utc_now, or better an argument",
    "datetime.utcnow": "shared.clock.utc_now",
    "datetime.today": "shared.clock.business_date",
    "date.today": "shared.clock.business_date",
    "conn.commit": "the one transaction opened at the edge",
    "connection.commit": "the one transaction opened at the edge",
    "session.commit": "the one transaction opened at the edge",
    "time.sleep": "a wait that can be stopped, such as Event.wait",
    "sleep": "a wait that can be stopped, such as Event.wait",
}
"""What services may not call, and what there is instead. `shared` is where these things are done."""

BUSINESS_NOUNS = re.compile(
    r"\b(sales?|tickets?|licen[cs]es?|refunds?|patients?|customers?|invoices?|receipts?|surveys?|complaints?"
    r"|pharmac(?:y|ies|ist)|loyalty|vouchers?|drugs?|recalls?)\b"
)
PROSE_OF_ROLES = {"identity.py"}
"""The posts of the source documents are named in one place of `shared`, because tokens carry them."""


def every_test_file() -> list[Path]:
    return sorted((ROOT / "tests").rglob("*.py"))


def calls(module: ast.Module) -> Iterator[str]:
    for node in ast.walk(module):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func)


def dated_rows(data: object) -> Iterator[dict[str, object]]:
    if isinstance(data, dict) and "effective_from" in data:
        yield data
    for each in data.values() if isinstance(data, dict) else data if isinstance(data, list) else ():
        yield from dated_rows(each)


def test_every_dated_row_says_where_it_comes_from_and_how_sure_we_are():
    files = sorted(ROOT.glob("services/*/src/**/data/*.json"))
    rows = [(shown(file), row) for file in files for row in dated_rows(json.loads(file.read_text()))]
    assert len(rows) > len(SERVICES)
    no_legal_number = {"metric_definitions.json", "examples.json"}
    bare = [name for name, row in rows if not (row.get("source") and row.get("mark"))]
    assert [name for name in bare if Path(name).name not in no_legal_number] == []


def test_every_module_says_why_it_exists():
    silent = [
        shown(path) for path in every_source() if path.stat().st_size and not ast.get_docstring(parsed(path))
    ]
    assert silent == []


def test_no_file_tells_more_than_one_story():
    long = {
        shown(path): lines
        for path in every_source()
        if (lines := len(path.read_text().splitlines())) > FILE_LINES_MAX
    }
    assert long == {}


@pytest.mark.parametrize("package", SERVICES)
def test_a_service_calls_nothing_that_is_kept_in_shared(package):
    offences = [
        f"{shown(path)}: {call}; use {BANNED_CALLS[banned]}"
        for path in sources_of(package)
        for call in calls(parsed(path))
        for banned in BANNED_CALLS
        if call == banned or call.endswith(f".{banned}")
    ]
    assert offences == []


def test_shared_reads_the_wall_clock_in_one_module():
    readers = {
        path.name
        for path in sources_of("shared")
        for call in calls(parsed(path))
        if call in {"datetime.now", "datetime.utcnow", "datetime.today", "date.today"}
    }
    assert readers <= {"clock.py"}


def test_no_test_mocks_or_sleeps():
    offences = []
    for path in every_test_file():
        module = parsed(path)
        imported = {
            name
            for node in ast.walk(module)
            if isinstance(node, ast.Import | ast.ImportFrom)
            for name in (
                [getattr(node, "module", None) or ""]
                + [f"{getattr(node, 'module', '')}.{alias.name}" for alias in node.names]
                + [alias.name for alias in node.names]
            )
        }
        if "unittest.mock" in imported or "mock" in imported:
            offences.append(f"{shown(path)}: mocks")
        if path.name != "eventually.py" and {"time.sleep", "sleep"} & set(calls(module)):
            offences.append(f"{shown(path)}: sleeps")
    assert offences == []


def test_shared_knows_no_business_noun():
    """Identifiers and text values; prose may give an example."""
    offences = []
    for path in sources_of("shared"):
        if path.name in PROSE_OF_ROLES:
            continue
        module = parsed(path)
        docstrings = {id(node.value) for node in ast.walk(module) if isinstance(node, ast.Expr)}
        for node in ast.walk(module):
            offences += [
                f"{shown(path)}: {word!r}"
                for word in _words(node, docstrings)
                if BUSINESS_NOUNS.search(word.replace("_", " ").lower())
                and not set(re.findall(r"[a-z_]+", word)) <= {*SERVICES, "or", "and"}
            ]
    assert offences == []


def _words(node: ast.AST, docstrings: set[int]) -> Iterator[str]:
    if isinstance(node, ast.Name):
        yield node.id
    elif isinstance(node, ast.Attribute):
        yield node.attr
    elif isinstance(node, ast.arg):
        yield node.arg
    elif isinstance(node, ast.FunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
        yield node.value


def every_refusal() -> set[type[DomainError]]:
    for package in ("shared", *SERVICES):
        module = importlib.import_module(package)
        for found in pkgutil.walk_packages(module.__path__, f"{package}."):
            if ".migrations" not in found.name and not found.name.endswith((".env", "__main__")):
                importlib.import_module(found.name)
    pending, refusals = [DomainError], set()
    while pending:
        children = pending.pop().__subclasses__()
        refusals.update(children)
        pending.extend(children)
    return {each for each in refusals if each.__module__.split(".")[0] in {"shared", *SERVICES}}


def test_every_refusal_has_a_code_of_its_own():
    """Two refusals under one code could not be told apart by a caller."""
    by_code = defaultdict(set)
    for refusal in every_refusal():
        if "code" in vars(refusal):
            by_code[refusal.code].add(f"{refusal.__module__}.{refusal.__name__}")
    shared_codes = {code: sorted(names) for code, names in by_code.items() if len(names) > 1}
    malformed = [code for code in by_code if not re.fullmatch(r"[a-z][a-z0-9_]*", code)]
    assert (shared_codes, malformed) == ({}, [])


def test_every_refusal_outside_shared_names_its_own_code():
    unnamed = [
        f"{refusal.__module__}.{refusal.__name__}"
        for refusal in every_refusal()
        if "code" not in vars(refusal) and not refusal.__subclasses__()
    ]
    assert unnamed == []


@cache
def app_of(package: str) -> Flask:
    return application(package)


@pytest.mark.requirement("X1")
@pytest.mark.parametrize("package", SERVICES)
def test_every_route_names_the_roles_it_admits_or_is_public(package):
    undeclared = [
        rule.rule
        for rule in app_of(package).url_map.iter_rules()
        if not hasattr(app_of(package).view_functions[rule.endpoint], "admitted_roles")
    ]
    assert undeclared == []


@pytest.mark.requirement("X1")
@pytest.mark.parametrize("package", SERVICES)
def test_only_health_metrics_documents_and_pages_are_public(package):
    public = {
        rule.rule
        for rule in app_of(package).url_map.iter_rules()
        if app_of(package).view_functions[rule.endpoint].admitted_roles is None
        and rule.rule.startswith(("/v1", "/internal"))
    }
    assert public == set()


@pytest.mark.parametrize("package", SERVICES)
def test_every_route_that_changes_something_is_a_command_or_deliberately_detached(package):
    loose = [
        f"{method} {rule.rule}"
        for rule in app_of(package).url_map.iter_rules()
        for method in sorted((rule.methods or set()) & {"POST", "PUT", "PATCH", "DELETE"})
        if not rule.rule.startswith("/sign-")
        and not getattr(
            inspect.unwrap(app_of(package).view_functions[rule.endpoint], stop=_is_decided),
            "is_command",
            False,
        )
        and not getattr(app_of(package).view_functions[rule.endpoint], "is_detached", False)
    ]
    assert loose == []


def _is_decided(view: object) -> bool:
    return bool(getattr(view, "is_command", False) or getattr(view, "is_detached", False))
