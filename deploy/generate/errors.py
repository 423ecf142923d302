"""Every refusal: its own class, and the sentences it is raised with.

A refusal is a class with a `code` and a `status`; what it says is the first argument where it is raised. Refusals that
end on an operator's terminal and never in an answer are left out.
"""

import ast
import importlib
import pkgutil
from collections import defaultdict
from collections.abc import Iterator
from functools import cache

from deploy.generate.repository import SERVICES, parsed, sources_of
from deploy.generate.sentences import ON_TERMINALS, patterns
from shared import problems
from shared.errors import DomainError

TITLES = {"shared": "Every service"} | SERVICES
EDGE: dict[str, tuple[int, str, str]] = {
    code: (status, problems.HTTP_CODES[status][1], cure)
    for status, code, cure in (
        (400, "malformed", "Mend the program that writes the request."),
        (404, "no_such_address", "Look the address up in the OpenAPI document; ids in it are UUIDs."),
        (405, "method_not_allowed", "Use a method that `Allow` names."),
        (413, "too_large", "Send less at once: an upload in several files, a list in several requests."),
    )
}
"""Refusals of the edge that no class stands for: status, sentence, what to do."""


def refusals_of(package: str) -> list[type[DomainError]]:
    """The refusals that modules of the package define with a code of their own, by code."""
    module = importlib.import_module(package)
    for found in pkgutil.walk_packages(module.__path__, f"{package}."):
        if not {"migrations", "alembic_env", "__main__"} & set(found.name.split(".")):
            importlib.import_module(found.name)
    mine = [each for each in _all(DomainError) if each.__module__.split(".")[0] == package]
    mine = [each for each in mine if each.__module__ != DomainError.__module__]
    shown = [
        each for each in mine if "code" in vars(each) and not ON_TERMINALS & set(each.__module__.split("."))
    ]
    return sorted(shown, key=lambda each: each.code)


def _all(base: type[DomainError]) -> Iterator[type[DomainError]]:
    for each in base.__subclasses__():
        yield each
        yield from _all(each)


@cache
def sentences() -> dict[str, list[str]]:
    """By the name of the refusal: the patterns that it is raised or listed with, each once, in the order of files."""
    found: dict[str, list[str]] = defaultdict(list)
    for package in TITLES:
        for path in sources_of(package):
            for node in ast.walk(parsed(path)):
                for name, said in _said(node):
                    for pattern in patterns(said):
                        if pattern is not None and pattern not in found[name]:
                            found[name].append(pattern)
    return found


def _said(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """A name with what it may say: `Refusal(said, …)`, `add(Refusal, said, …)`, `(Refusal, …, said)`."""
    if isinstance(node, ast.Call) and node.args:
        yield ast.unparse(node.func).rpartition(".")[2], node.args[0]
        for name, said in zip(node.args, node.args[1:], strict=False):
            if isinstance(name, ast.Name | ast.Attribute):
                yield ast.unparse(name).rpartition(".")[2], said
    elif isinstance(node, ast.Tuple) and len(node.elts) > 1:
        yield ast.unparse(node.elts[0]).rpartition(".")[2], node.elts[-1]
