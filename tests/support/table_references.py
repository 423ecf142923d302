"""Which tables a file names: in SQLAlchemy Core, by importing them, and in SQL text, by their names.

SQL text is every string that is no docstring and reads like SQL, an f-string with what stands between its braces left
out; where a statement is put together from parts, each part that reads like SQL counts for itself.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

SQL = re.compile(
    r"\b(?:select|with|values)\s|\binsert\s+into\b|\bupdate\s+\w+(?:\s+\w+)?\s+set\b|\bdelete\s+from\b"
    r"|\bcopy\s+\w+\s*\(|\bfrom\s+[a-z_]+\b|\bjoin\s+[a-z_]+\b|\block\s+table\b|\btruncate\b",
)
PLACE = (
    r"\b(?:from|join|into|update|only|table|copy|using|truncate|exists)\s+(?:only\s+|lateral\s+)?(?:\w+\.)?"
)
WRITES = r"\b(?:insert\s+into|update|delete\s+from|copy|truncate)\s+(?:only\s+)?(?:\w+\.)?"


def texts(module: ast.Module) -> Iterator[str]:
    """Every string of the module that is no docstring, f-strings with a letter where values are put in."""
    skipped: set[int] = set()
    for node in ast.walk(module):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            skipped.add(id(node.value))
        if isinstance(node, ast.JoinedStr):
            skipped.update(id(part) for part in node.values)
    for node in ast.walk(module):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "x" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def named_in_sql(text: str, tables: frozenset[str]) -> Iterator[tuple[str, bool]]:
    """The tables that a text names where SQL has a table, and whether it writes them."""
    if not SQL.search(text):
        return
    plain = re.sub(r"\s+", " ", re.sub(r"--[^\n]*", " ", text))
    for table in tables & set(re.findall(r"[a-z_0-9]+", plain)):
        places = re.search(rf"{PLACE}{table}\b", plain) or re.search(
            rf"\bfrom\s+[a-z_.]+(?:\s+(?:as\s+)?[a-z_]+)?(?:\s*,\s*[a-z_.]+(?:\s+(?:as\s+)?[a-z_]+)?)*?\s*,\s*(?:\w+\.)?{table}\b",
            plain,
        )
        if places:
            yield table, bool(re.search(rf"{WRITES}{table}\b", plain))


def imported(module: ast.Module, package: str) -> Iterator[tuple[str, str]]:
    """What a module imports from modules named `tables`: the module, and the name there."""
    for node in ast.walk(module):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == package:
            for alias in node.names:
                if node.module.endswith(".tables"):
                    yield node.module, alias.name
                elif alias.name == "tables":
                    yield f"{node.module}.tables", "*"


def area_of(file: Path, root: Path, drawers: frozenset[str]) -> str:
    """The area in which a file lies: its first folder, or nothing at the flat top and in common drawers."""
    parts = file.relative_to(root).parts
    return parts[0] if len(parts) > 1 and parts[0] not in drawers else ""
