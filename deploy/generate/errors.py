"""The catalogue of refusals: docs/errors.md, made of the refusals' own classes and of the sentences they are raised with.

A refusal is a class with a `code` and a `status`; what it says is the first argument where it is raised, its Chinese
form is in the catalogs. Refusals that end on an operator's terminal and never in an answer are left out.
"""

import ast
import importlib
import pkgutil
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from deploy.generate.repository import GENERATED, ROOT, SERVICES, parsed, sources_of
from deploy.generate.sentences import ON_TERMINALS, patterns
from shared import problems
from shared.errors import DomainError
from shared.languages import in_language

CHINESE = "zh_CN"
SENTENCES_MAX = 3
PUT_TOGETHER = "—"
TABLE = ("| code | status | says | 中文 | what to do |", "|---|---|---|---|---|")
HEAD = f"""# Refusals

{GENERATED}

Every answer that refuses is a problem document (RFC 9457): `code` never changes its meaning, `detail` is one sentence for people, in
Chinese where `Accept-Language` asks for it, and `errors` or `faults` name each place that is wrong. A refusal changes nothing.
In an upload each line carries its own `code` and `detail`. Where a row says —, the sentence is put together from what was found.
The OpenAPI document of a service lists for each operation which of these it may answer.

| status | means | what the caller does |
|---|---|---|
| 400 | the request cannot be read | mend the program that writes it; the same request is refused again |
| 401 | no valid token | sign in again, send the same with the same `Idempotency-Key` |
| 403 | a right is missing: role, branch, or a duty that excludes another | ask who may; `x-roles` of the operation names the roles |
| 404 | there is no such thing, or not for this token | look it up in its list |
| 409 | a state or a rule forbids it now | show `detail` to the person; repeat it only when what it names has changed |
| 413 | over a size limit | send less at once |
| 415 | a media type, charset or encoding that is not read here | send what the operation names |
| 422 | well formed, but never acceptable | mend what `errors` names |
| 429 | too often, or too many at once | send the same after `Retry-After` seconds, with the same key |
| 503 | it may succeed later | send the same after `Retry-After` seconds, with the same key |
"""
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


def documents() -> dict[Path, str]:
    said = sentences()
    sections = []
    for package, title in TITLES.items():
        rows = {each.code: _row(each, said) for each in refusals_of(package)}
        if package == "shared":
            rows |= {code: _cells(code, status, [says], cure) for code, (status, says, cure) in EDGE.items()}
        sections.append("\n".join([f"## {title}", "", *TABLE, *(rows[code] for code in sorted(rows))]))
    return {ROOT / "docs/errors.md": "\n\n".join([HEAD.rstrip(), *sections]) + "\n"}


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


def _row(refusal: type[DomainError], said: dict[str, list[str]]) -> str:
    sentences = said.get(refusal.__name__, [])[:SENTENCES_MAX] or [PUT_TOGETHER]
    return _cells(refusal.code, refusal.status, sentences, refusal.cure)


def _cells(code: str, status: int, sentences: list[str], cure: str) -> str:
    english = "<br>".join(_cell(each) for each in sentences)
    chinese = "<br>".join(_cell(each) for each in map(_chinese, sentences) if each)
    return f"| `{code}` | {status} | {english} | {chinese} | {_cell(cure)} |"


def _chinese(sentence: str) -> str:
    """From whichever catalog knows it: a refusal of `shared` may be raised by a service, in words of its own."""
    for service in (None, *SERVICES):
        told = in_language(sentence, CHINESE, service)
        if told != sentence:
            return told
    return ""


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


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
