"""How much code may leave unsaid, hold in one function and take in one call: measures that every package keeps.

An edge is where JSON comes in or goes out as such: `api`, `schemas`, `pages`, `papers`, `queries` (whose answers are JSON)
and `subscriptions` (which take events apart), each a module or a package. Beyond the edges a value has a type with named
fields; a name that stands for `dict[str, Any]` counts as what it stands for.
A builder makes one value of its named parts and does nothing else: the functions of `events`, and those of BUILDERS.
"""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from deploy.generate.repository import SERVICES, parsed, shown, sources_of

PACKAGES = ("shared", *SERVICES)
EDGES = frozenset({"api", "schemas", "pages", "papers", "queries", "subscriptions"})
UNTYPED = frozenset({"dict[str, Any]", "Mapping[str, Any]", "MutableMapping[str, Any]"})
UNTYPED_PER_1000_LINES_MAX = 8.0
ARGUMENTS_MAX = 6
LINES_MAX = 40
SHORT_SHARE_MIN = 0.95
BUILDERS = frozenset({"shared.wire.amqp_headers", "shared.tables.declare"})
"""The headers of a message, of its fields; and what is said of a service's tables, each a keyword that may be left out."""


def parts_of(path: Path) -> list[str]:
    return [part.removesuffix(".py") for part in path.parts]


def is_edge(path: Path) -> bool:
    return not EDGES.isdisjoint(parts_of(path))


def is_untyped(node: ast.AST) -> bool:
    return isinstance(node, ast.Subscript) and ast.unparse(node) in UNTYPED


def aliases_of(module: ast.Module) -> set[str]:
    """Names at the top of a module that stand for an untyped mapping."""
    return {
        target.id
        for node in module.body
        if isinstance(node, ast.Assign) and is_untyped(node.value)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


@cache
def aliases_in(package: str) -> set[str]:
    return {name for path in sources_of(package) for name in aliases_of(parsed(path))}


def untyped_in(module: ast.Module, known: set[str]) -> int:
    """How often the module says `dict[str, Any]`, itself or by a name of its package that means the same."""
    imported = {
        alias.asname or alias.name
        for node in ast.walk(module)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.name in known
    }
    named = imported | aliases_of(module)
    return sum(
        is_untyped(node)
        or (isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in named)
        for node in ast.walk(module)
    )


def untyped_per_1000_lines(package: str) -> tuple[float, dict[str, int]]:
    """The measure, and where most of it is."""
    inner = [path for path in sources_of(package) if not is_edge(path)]
    lines = sum(len(path.read_text().splitlines()) for path in inner)
    found = {shown(path): untyped_in(parsed(path), aliases_in(package)) for path in inner}
    most = sorted(found.items(), key=lambda each: -each[1])[:5]
    return 1000 * sum(found.values()) / lines, dict(most)


def functions_of(package: str) -> Iterator[tuple[Path, ast.FunctionDef]]:
    for path in sources_of(package):
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.FunctionDef):
                yield path, node


def arguments_of(function: ast.FunctionDef) -> int:
    """Without `self` and `cls`, and without what is gathered by stars."""
    named = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    return sum(each.arg not in {"self", "cls"} for each in named)


def is_builder(path: Path, function: ast.FunctionDef, package: str) -> bool:
    parts = parts_of(path)
    module = ".".join(parts[len(parts) - parts[::-1].index(package) - 1 :])
    return "events" in parts or f"{module}.{function.name}" in BUILDERS


def wide_in(package: str) -> list[str]:
    return [
        f"{shown(path)}: {function.name}({arguments_of(function)})"
        for path, function in functions_of(package)
        if arguments_of(function) > ARGUMENTS_MAX and not is_builder(path, function, package)
    ]


@pytest.mark.parametrize("package", PACKAGES)
def test_values_have_types_beyond_the_edges(package):
    measured, most = untyped_per_1000_lines(package)
    assert measured <= UNTYPED_PER_1000_LINES_MAX, most


@pytest.mark.parametrize("package", PACKAGES)
def test_no_function_takes_more_than_six_arguments(package):
    assert wide_in(package) == []


@pytest.mark.parametrize("package", PACKAGES)
def test_nineteen_functions_of_twenty_have_forty_lines_at_most(package):
    lengths = {
        f"{shown(path)}: {function.name}": (function.end_lineno or 0) - function.lineno + 1
        for path, function in functions_of(package)
    }
    long = {name: lines for name, lines in lengths.items() if lines > LINES_MAX}
    assert 1 - len(long) / len(lengths) >= SHORT_SHARE_MIN, long


@pytest.mark.parametrize(
    ("code", "count"),
    [
        ("def read(row: Mapping[str, Any]) -> dict[str, Any]: ...", 2),
        ("Row = dict[str, Any]\ndef read(row: Row) -> Row: ...", 3),
        ("from kernel import Row as Line\ndef read(row: Line) -> int: ...", 1),
        ("from kernel import Row\ndef read(row: Row) -> int: ...", 1),
        ("def read(row: dict[str, int], rest: Any) -> None: ...", 0),
    ],
)
def test_an_untyped_mapping_is_found_under_any_name_of_it(code, count):
    assert untyped_in(ast.parse(code), {"Row"}) == count
