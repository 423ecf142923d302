"""Every sentence that a refusal may say, found in the sources: of errors, of faults listed with them, of schemas.

A sentence is a constant, or a `shared.languages.Text` whose pattern is one; what is put together by formatting or joining
cannot be said in another language, and is found as such. Names and look-ups are passed over: what they hold is a
constant of another place. What only operators read on a terminal is in English alone (`ON_TERMINALS`).
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from deploy.generate.repository import SERVICES, parsed, shown, sources_of

PACKAGES = ("shared", *SERVICES)
ON_TERMINALS = frozenset(
    [
        "acceptance",
        "amqp_publish",
        "amqp_source",
        "anchoring",
        "anchors",
        "archive",
        "archiving",
        "chain_archive",
        "completeness",
        "consuming",
        "findings",
        "halting",
        "incarnation",
        "keeper",
        "migrations",
        "ops",
        "ops_desk",
        "ops_records",
        "parking",
        "postgres",
        "rebuild",
        "settings",
        "topology",
        "verifying",
        "projections",
        "readers",
        "subscriptions",
    ]
)
"""Modules (or the package of them) whose refusals end in a terminal or a log of the house, and never in an answer."""
PLACES = {"Fault": 2, "ValidationError": 0, "_invalid": 1, "refusal": 0, "problem": 2}
"""Where a call of this name has its sentence; a refusal's is its first argument."""


@dataclass(frozen=True, slots=True)
class Sentence:
    package: str
    where: str
    pattern: str | None
    """None for a sentence that no catalog can know."""


def refusals() -> frozenset[str]:
    """The names of all classes that are refusals, by what the sources say of their bases."""
    bases: dict[str, set[str]] = {}
    for _, path in _files():
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.ClassDef):
                bases.setdefault(node.name, set()).update(
                    each.id if isinstance(each, ast.Name) else each.attr
                    for each in node.bases
                    if isinstance(each, ast.Name | ast.Attribute)
                )
    known = {"DomainError"}
    while more := {name for name, those in bases.items() if those & known} - known:
        known |= more
    return frozenset(known)


def sentences() -> Iterator[Sentence]:
    known = refusals()
    for package, path in _files():
        if {path.stem, path.parent.name} & ON_TERMINALS:
            continue
        for node in ast.walk(parsed(path)):
            for said in _said(node, known):
                for pattern in patterns(said):
                    yield Sentence(package, f"{shown(path)}:{said.lineno}", pattern)


def _files() -> Iterator[tuple[str, Path]]:
    for package in PACKAGES:
        for path in sources_of(package):
            yield package, path


def _said(node: ast.AST, known: frozenset[str]) -> Iterator[ast.expr]:
    """The expressions in `node` itself that are a sentence of a refusal."""
    match node:
        case ast.Call():
            yield from _called(node, known)
        case ast.Dict():
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and key.value == "message":
                    yield value
        case ast.FunctionDef(name=name) if name.endswith(("_faults", "_fault", "below_shipped")):
            for inner in ast.walk(node):
                if isinstance(inner, ast.Yield | ast.Return) and isinstance(inner.value, ast.Tuple):
                    yield inner.value.elts[-1]
        case ast.Assign(targets=[ast.Name(id="fault")], value=ast.Tuple() as told):
            yield told.elts[-1]
        case ast.Assign(targets=[ast.Name(id="message" | "detail")], value=value):
            yield value


def _called(node: ast.Call, known: frozenset[str]) -> Iterator[ast.expr]:
    match node:
        case ast.Call(
            func=ast.Attribute(attr="append", value=ast.Name(id="faults")), args=[ast.Tuple() as told]
        ):
            yield told.elts[-1]
        case ast.Call(
            func=ast.Attribute(attr="add", value=ast.Name(id="judged" | "self")), args=[_, said, _]
        ):
            yield said
        case _:
            name = ast.unparse(node.func).rpartition(".")[2]
            place = 0 if name in known else PLACES.get(name)
            if place is not None and len(node.args) > place:
                yield node.args[place]


def patterns(said: ast.expr) -> Iterator[str | None]:
    """What the expression may say; None where it is put together in a way that no catalog can know."""
    match said:
        case ast.Constant(value=str(pattern)):
            yield pattern
        case ast.IfExp():
            yield from patterns(said.body)
            yield from patterns(said.orelse)
        case ast.Call(func=ast.Name(id="Text") | ast.Attribute(attr="Text"), args=[pattern]):
            yield from patterns(pattern)
        case ast.JoinedStr() | ast.BinOp():
            yield None
        case ast.Call(func=ast.Attribute(attr="replace" | "format" | "join")):
            yield None
