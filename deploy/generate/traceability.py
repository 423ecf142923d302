"""Which code and which tests serve each requirement: docs/traceability.md.

Code says `Source: R4` in a docstring, tests say `@pytest.mark.requirement("R4")`; nothing else counts.
"""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from deploy.generate.repository import GENERATED, ROOT, every_source, parsed, shown, test_files

ID = re.compile(r"\b[CFDRPX][1-9][0-9]?\b")
SOURCES = re.compile(r"\bSource:(.*?)(?=\n\s*\n|\Z)", re.DOTALL)
"""From the word to the end of the paragraph."""
REQUIREMENT_ROW = re.compile(r"^\| ([CFDRPX][0-9]+) \| [^|]* \| (.*) \|$", re.MULTILINE)
NAMES_SHOWN_MAX = 6

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def documents() -> dict[Path, str]:
    """One row per requirement, in the order of docs/requirements.md, and a count of what is not served yet."""
    wanted = requirements()
    code, tests = code_by_requirement(), marks_by_requirement()
    served = [each for each in wanted if each in code and each in tests]
    begun = [each for each in wanted if (each in code) != (each in tests)]
    lines = [
        "# Traceability",
        "",
        GENERATED,
        "",
        "What serves each requirement of [requirements.md](requirements.md): code whose docstring names it, and",
        "tests whose mark names it.",
        "",
        f"Of {len(wanted)} requirements {len(served)} have code and tests, {len(begun)} have one of the two,",
        f"{len(wanted) - len(served) - len(begun)} have neither yet.",
        "",
        "| id | requirement | code | tests |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {each} | {wanted[each]} | {_cell(code.get(each))} | {_cell(tests.get(each))} |" for each in wanted
    ]
    return {ROOT / "docs" / "traceability.md": "\n".join(lines) + "\n"}


def requirements() -> dict[str, str]:
    """Text of each requirement by id, in the order of docs/requirements.md."""
    return dict(REQUIREMENT_ROW.findall((ROOT / "docs" / "requirements.md").read_text()))


def code_by_requirement() -> dict[str, list[str]]:
    """`path: name` of everything whose docstring has a Source line with the id."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in every_source():
        for name, docstring in _docstrings(parsed(path)):
            for identifier in _ids(SOURCES.findall(docstring)):
                found[identifier].append(f"{shown(path)}: {name}" if name else shown(path))
    return found


def marks_by_requirement(mark: str = "requirement") -> dict[str, list[str]]:
    """`path: name` of every test marked with the id, by itself, by its class or by its module."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in test_files():
        for name, identifiers in _marked(parsed(path), mark):
            for identifier in identifiers:
                found[identifier].append(f"{shown(path)}: {name}" if name else shown(path))
    return found


def _docstrings(module: ast.Module) -> Iterator[tuple[str, str]]:
    yield "", ast.get_docstring(module) or ""
    for name, definition in _definitions(module):
        yield name, ast.get_docstring(definition) or ""


def _marked(module: ast.Module, mark: str) -> Iterator[tuple[str, list[str]]]:
    for statement in module.body:
        if isinstance(statement, ast.Assign) and "pytestmark" in {
            target.id for target in statement.targets if isinstance(target, ast.Name)
        }:
            yield "", _mark_ids(statement.value, mark)
    for name, definition in _definitions(module):
        yield name, [each for decorator in definition.decorator_list for each in _mark_ids(decorator, mark)]


def _definitions(module: ast.Module) -> Iterator[tuple[str, Definition]]:
    for statement in module.body:
        if isinstance(statement, Definition):
            yield statement.name, statement
        if isinstance(statement, ast.ClassDef):
            for inner in statement.body:
                if isinstance(inner, ast.FunctionDef):
                    yield f"{statement.name}.{inner.name}", inner


def _mark_ids(node: ast.AST, mark: str) -> list[str]:
    return [
        str(argument.value)
        for call in ast.walk(node)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == mark
        for argument in call.args
        if isinstance(argument, ast.Constant)
    ]


def _ids(texts: list[str]) -> list[str]:
    return list(dict.fromkeys(each for text in texts for each in ID.findall(text)))


def _cell(names: list[str] | None) -> str:
    if not names:
        return "not yet"
    shown_names = [f"`{name}`" for name in dict.fromkeys(names)]
    rest = len(shown_names) - NAMES_SHOWN_MAX
    return "<br>".join(shown_names[:NAMES_SHOWN_MAX]) + (f"<br>and {rest} more" if rest > 0 else "")
