"""A table has one owner: the area whose `tables.py` describes it. Nobody else names it, in Core or in SQL text."""

import ast
import importlib
from functools import cache
from pathlib import Path

import pytest
from sqlalchemy import MetaData, Table

from deploy.generate.repository import ROOT, SERVICES, parsed, sources_of
from shared.rations import rations_table
from shared.service import load
from shared.tables import mechanism_tables
from tests.support.table_references import area_of, imported, named_in_sql, texts

DRAWERS = frozenset({"domain", "commands", "events", "queries", "subscriptions"})
"""Folders that are no areas: of services that are not divided yet."""
READERS_OF_THE_LEDGER = ("finance/statements/", "finance/statement_figures/", "finance/ledger_files/")
"""Statements and exports are made of the ledger, and read it as it is."""
READERS_OF_FACTS = ("reporting/ledgers/", "reporting/metrics/")
"""A ledger or metric of reporting is a query over facts, and reads them as they are."""
LEDGER = frozenset(
    {
        "books",
        "accounts",
        "periods",
        "period_balances",
        "running_balances",
        "journal_entries",
        "journal_lines",
    }
)


def root_of(package: str) -> Path:
    return next(path.parent for path in sources_of(package) if path.name == "app.py")


@cache
def owners(package: str) -> dict[str, str]:
    """Table, without its schema → the area whose module describes it; those of the mechanism are nobody's."""
    found: dict[str, str] = {}
    for path in sources_of(package):
        if path.name == "tables.py":
            found |= dict.fromkeys(described_in(path), area_of(path, root_of(package), DRAWERS))
    return found


def described_in(path: Path) -> set[str]:
    """The tables of the service whose names stand in the module."""
    module = parsed(path)
    strings = {node.value for node in ast.walk(module) if isinstance(node, ast.Constant)}
    package = path.relative_to(ROOT / "services").parts[2]
    return {each for each in tables_of(package) if each in strings}


def tables_of(package: str) -> set[str]:
    """The tables of the service's own, without their schemas."""
    mechanism = MetaData()
    mechanism_tables(mechanism)
    rations_table(mechanism)
    known = {table.name for table in load(package).metadata.tables.values()}
    return known - {table.name for table in mechanism.tables.values()}


def module_of(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts[parts.index("src") + 1 :])


def references(package: str) -> set[tuple[str, str, bool]]:
    """File, table of another area, and whether it writes it."""
    root, owned = root_of(package), owners(package)
    names = frozenset(owned)
    found = set()
    for path in sources_of(package):
        area = area_of(path, root, DRAWERS)
        file = path.relative_to(root.parent).as_posix()
        if path.name == "app.py":
            continue
        for text in texts(parsed(path)):
            for table, writes in named_in_sql(text, names):
                if owned[table] != area:
                    found.add((file, table, writes))
        for module, name in imported(parsed(path), package):
            for table in tables_named(module, name):
                if owned.get(table, area) != area:
                    found.add((file, table, False))
    for path in root.rglob("*.sql"):
        file = path.relative_to(root.parent).as_posix()
        for table, writes in named_in_sql(path.read_text(), names):
            if owned[table] != area_of(path, root, DRAWERS):
                found.add((file, table, writes))
    return found


def tables_named(module: str, name: str) -> list[str]:
    if not is_module_of_tables(module):
        return []
    described = vars(importlib.import_module(module))
    wanted = described.values() if name == "*" else [described.get(name)]
    return [each.name for each in wanted if isinstance(each, Table)]


def is_module_of_tables(module: str) -> bool:
    package = module.split(".", maxsplit=1)[0]
    return (root_of(package).parent / Path(*module.split("."))).with_suffix(".py").exists()


def is_declared(file: str, table: str, *, writes: bool) -> bool:
    if writes:
        return False
    if file.startswith(READERS_OF_FACTS):
        return table.startswith("fact_")
    return file.startswith(READERS_OF_THE_LEDGER) and table in LEDGER


def strangers(package: str) -> set[str]:
    """Each file with each table of another area that it names, but for what is declared."""
    return {
        f"{file} {table}"
        for file, table, writes in references(package)
        if not is_declared(file, table, writes=writes)
    }


@pytest.mark.parametrize("package", SERVICES)
def test_every_table_is_described_in_one_area(package):
    assert tables_of(package) - owners(package).keys() == set()
    described = [
        table for path in sources_of(package) if path.name == "tables.py" for table in described_in(path)
    ]
    assert sorted(described) == sorted(set(described))


@pytest.mark.parametrize("package", SERVICES)
def test_nobody_names_the_table_of_another_area(package):
    assert strangers(package) == set(), "ask its owner for a function or a fragment of SQL"


@pytest.mark.parametrize(
    "code",
    [
        'text("select * from sales")',
        'text(f"select {columns} from {schema}.sales s")',
        'QUERY = """\n    select l.*\n    from lines l, sales s\n"""',
        'PART = " join sales s on s.sale_id = l.sale_id"',
        'text("insert into sales (sale_id)" " values (:id)")',
        'text("update sales set state = :state")',
        'cursor.copy("copy sales (sale_id) from stdin")',
        'text("delete from only public.sales")',
        'text("select exists (select from sales)")',
    ],
)
def test_a_table_is_found_in_sql_however_it_is_written(code):
    assert {
        table for each in texts(ast.parse(code)) for table, _ in named_in_sql(each, frozenset({"sales"}))
    } == {"sales"}


@pytest.mark.parametrize(
    "code",
    [
        '"""What is read from sales."""',
        'raise Refused("sales of this month are counted")',
        'text("select sales from totals")',
        'text("select * from sales_orders")',
    ],
)
def test_words_that_name_no_table_are_not_taken_for_one(code):
    assert [
        found for each in texts(ast.parse(code)) for found in named_in_sql(each, frozenset({"sales"}))
    ] == []
