"""Every service is divided into areas: every file has its place, and an area keeps its size and its face."""

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from deploy.generate.repository import SERVICES, parsed, shown, sources_of

TOP = {"__init__.py", "__main__.py", "app.py", "settings.py", "py.typed", "refusals.json", "properties.json"}
KERNELS = {
    "customers": {"customer", "dated", "fields", "metadata", "personal"},
    "finance": {
        *("chart", "codes", "company", "copying", "data", "dated", "debts", "fields", "invoice_number"),
        *(
            "metadata",
            "period",
            "posting",
            "rates",
            "receipt",
            "roles",
            "sale",
            "statement",
            "terms",
            "vat",
            "words",
        ),
    },
    "service_desk": {"fields", "metadata", "roles", "texts", "vocabulary"},
    "returns": {
        "data",
        "dated",
        "durations",
        "facts",
        "fields",
        "metadata",
        "reasons",
        "roles",
        "texts",
        "vocabulary",
    },
    "reporting": {"canonical", "fields", "metadata", "scopes", "translations"},
}
"""What every area of a service may know: each name is a decision."""
FILES = {
    "__init__",
    "rules",
    "model",
    "tables",
    "store",
    "commands",
    "queries",
    "events",
    "reactions",
    "jobs",
    "schemas",
    "api",
    "pages",
    "papers",
}
"""Modules of an area; each of them may be a package instead."""
FOLDERS = {"templates", "static", "data"}
CHANGING = re.compile(
    r"\b(insert into|delete from|update \w+ (\w+ )?set|for (no key )?update|for share)\b", re.IGNORECASE
)
AREA_LINES_MAX = 2_500
MODULE_LINES_MAX = 400
PUBLIC_NAMES_MAX = 10
"""Beside `AREA`, which is for `app.py` alone."""


def root_of(package: str) -> Path:
    return next(path.parent for path in sources_of(package) if path.name == "app.py")


def areas_of(package: str) -> list[Path]:
    """Folders of the service that hold an `AREA`."""
    return sorted(
        path.parent for path in root_of(package).glob("*/__init__.py") if "AREA = " in path.read_text()
    )


def lines_of(path: Path) -> int:
    return len(path.read_text().splitlines())


@pytest.mark.parametrize("package", SERVICES)
def test_every_file_lies_in_an_area_or_in_the_kernel(package):
    root, areas = root_of(package), {area.name for area in areas_of(package)}
    lost = []
    for path in sources_of(package):
        inside = path.relative_to(root).parts
        if len(inside) == 1:
            lost += [] if path.name in TOP else [shown(path)]
        elif inside[0] != "kernel" and (inside[0] not in areas or inside[1].removesuffix(".py") not in FILES):
            lost.append(shown(path))
    assert lost == []
    beside = {path.name for path in root.iterdir() if path.is_dir()} - {"__pycache__"}
    assert beside == areas | {"kernel", "migrations", "catalogs"}
    assert {path.name for path in root.iterdir() if path.is_file()} <= TOP
    kernel = {path.name.removesuffix(".py") for path in (root / "kernel").iterdir()}
    assert kernel - {"__init__", "__pycache__"} == KERNELS[package]
    for area in areas_of(package):
        folders = {path.name for path in area.iterdir() if path.is_dir()} - {"__pycache__"}
        assert folders <= FILES | FOLDERS, area.name


@pytest.mark.parametrize("package", SERVICES)
def test_the_service_is_the_list_of_its_areas(package):
    service = importlib.import_module(f"{package}.app")
    made = [importlib.import_module(f"{package}.{area.name}").AREA for area in areas_of(package)]
    assert sorted(map(id, service.AREAS)) == sorted(map(id, made))
    functions = [
        node for node in parsed(root_of(package) / "app.py").body if isinstance(node, ast.FunctionDef)
    ]
    assert functions == []
    for area in areas_of(package):
        described = (area / "tables.py").exists()
        assert described == (importlib.import_module(f"{package}.{area.name}").AREA.tables is not None), (
            area.name
        )


@pytest.mark.parametrize("package", SERVICES)
def test_an_area_is_small_enough_to_be_understood(package):
    large = {}
    for area in [*areas_of(package), root_of(package) / "kernel"]:
        files = list(area.rglob("*.py"))
        if sum(map(lines_of, files)) > AREA_LINES_MAX:
            large[area.name] = sum(map(lines_of, files))
        large |= {shown(path): lines_of(path) for path in files if lines_of(path) > MODULE_LINES_MAX}
    assert large == {}


@pytest.mark.parametrize("package", ["shared", "apotheca"])
def test_no_module_beside_the_areas_is_long_either(package):
    assert [shown(path) for path in sources_of(package) if lines_of(path) > MODULE_LINES_MAX] == []


@pytest.mark.parametrize("package", SERVICES)
def test_an_area_shows_ten_names_at_most_and_each_is_asked_for(package):
    asked = {(area, name) for path in sources_of(package) for area, name in reached(path, package) if name}
    for area in areas_of(package):
        names = set(importlib.import_module(f"{package}.{area.name}").__all__) - {"AREA"}
        assert len(names) <= PUBLIC_NAMES_MAX, area.name
        assert {name for name in names if (area.name, name) not in asked} == set(), area.name


@pytest.mark.parametrize("package", SERVICES)
def test_nobody_reaches_behind_the_face_of_an_area(package):
    faces = {
        area.name: set(importlib.import_module(f"{package}.{area.name}").__all__)
        for area in areas_of(package)
    }
    behind = [
        f"{shown(path)}: {area}.{name}"
        for path in sources_of(package)
        for area, name in reached(path, package)
        if area in faces and name not in faces[area]
    ]
    assert behind == []


@pytest.mark.parametrize("package", SERVICES)
def test_a_face_shows_names_and_no_modules(package):
    """Through a module an area would show more than ten names."""
    for area in areas_of(package):
        face = importlib.import_module(f"{package}.{area.name}")
        modules = {name for name in face.__all__ if isinstance(getattr(face, name), ModuleType)}
        assert modules == set(), area.name


@pytest.mark.parametrize("package", SERVICES)
def test_no_module_is_imported_by_its_whole_path(package):
    """`import finance.sold.store` would go behind a face unseen."""
    whole = [
        f"{shown(path)}: {alias.name}"
        for path in sources_of(package)
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Import)
        for alias in node.names
        if alias.name.split(".")[0] == package
    ]
    assert whole == []


@pytest.mark.parametrize("package", SERVICES)
def test_sql_runs_in_what_stores_and_reads(package):
    """The kernel asks no database either; `migrations` are the schema's history."""
    outside = [
        f"{shown(path)}:{node.lineno}"
        for path in sources_of(package)
        if {"store", "queries", "migrations"}.isdisjoint(
            part.removesuffix(".py") for part in path.relative_to(root_of(package)).parts[:2]
        )
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Call) and runs_sql(node)
    ]
    assert outside == []


def runs_sql(call: ast.Call) -> bool:
    """A ticket's `execute` is a step of its life; `scalars()` reads an answer, `scalars(select(…))` asks."""
    if not isinstance(call.func, ast.Attribute):
        return False
    name, asked = call.func.attr, ast.unparse(call.func.value)
    if name in {"scalar", "scalars"}:
        return bool(call.args)
    if name == "copy":
        return asked.endswith("cursor")
    return name in {"execute", "executemany", "exec_driver_sql"} and asked != "ticket"


@pytest.mark.parametrize("package", SERVICES)
def test_what_reads_neither_writes_nor_locks(package):
    changing = [
        f"{shown(path)}:{node.lineno}"
        for path in sources_of(package)
        if "queries" in {part.removesuffix(".py") for part in path.relative_to(root_of(package)).parts[1:2]}
        for node in ast.walk(parsed(path))
        if changes_rows(node)
    ]
    assert changing == []


def changes_rows(node: ast.AST) -> bool:
    """In SQL text, or by a function of SQLAlchemy."""
    if isinstance(node, ast.Constant):
        return isinstance(node.value, str) and CHANGING.search(node.value) is not None
    name = node.func if isinstance(node, ast.Call) else None
    return (isinstance(name, ast.Name) and name.id in {"insert", "update", "delete"}) or (
        isinstance(name, ast.Attribute) and name.attr == "with_for_update"
    )


@pytest.mark.parametrize(
    ("code", "is_found"),
    [
        ('text("delete from offers where id = :id")', True),
        ('text("update offers o set state = :state")', True),
        ('text("select 1 from offers for update")', True),
        ("select(offers).with_for_update()", True),
        ("insert(offers)", True),
        ('text("select updated_on from offers")', False),
    ],
)
def test_a_change_of_rows_is_found_in_text_and_in_core(code, is_found):
    assert any(map(changes_rows, ast.walk(ast.parse(code)))) is is_found


def reached(path: Path, package: str) -> Iterator[tuple[str, str]]:
    """What a file reaches of other areas: area and name; the name is a module where it reaches behind the face."""
    own = path.relative_to(root_of(package)).parts[0]
    module = parsed(path)
    bound: dict[str, str] = {}
    for node in ast.walk(module):
        if not isinstance(node, ast.ImportFrom) or node.module is None:
            continue
        parts = node.module.split(".")
        if parts == [package]:
            bound |= {alias.asname or alias.name: alias.name for alias in node.names if alias.name != own}
        elif parts[0] == package and parts[1] not in {own, "kernel"}:
            for alias in node.names:
                yield parts[1], alias.name if len(parts) == 2 else f"{parts[2]}.{alias.name}"
    for node in ast.walk(module):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in bound:
            yield bound[node.value.id], node.attr


@pytest.mark.parametrize("package", SERVICES)
def test_every_area_has_a_card_that_says_what_it_owns(package):
    for area in areas_of(package):
        card = (area / "README.md").read_text()
        assert card.startswith(f"# {area.name}\n"), area.name
        tables = area / "tables.py"
        named = set() if not tables.exists() else tables_in(tables)
        assert {table for table in named if f"`{table}`" not in card} == set(), area.name
        service = (root_of(package).parents[1] / "README.md").read_text()
        assert f"src/{package}/{area.name}/README.md" in service, area.name


def tables_in(path: Path) -> set[str]:
    return {
        node.args[0].value
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "Table"
        and isinstance(node.args[0], ast.Constant)
    }
