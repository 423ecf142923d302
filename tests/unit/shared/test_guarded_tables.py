"""No table with money stands outside verification, unless its definition says why."""

import pytest

from shared import row_log
from shared.service import load

MIGRATIONS = [
    path
    for package in ("customers", "finance", "service_desk", "returns", "reporting")
    for path in load(package).migrations_folder.glob("[0-9]*.py")
]
EXCEPTED = {
    "outbox_totals": "sums of the outbox, proved by it",
    "sales": "written down in the order of their events (finance.sold)",
    "sale_lines": "part of their sale",
    "tenders": "part of their sale",
    "journal_lines": "part of their entry in the journal's chain",
    "running_balances": "the sums of sealed lines",
}


@pytest.mark.parametrize("package", ["customers", "finance", "service_desk", "returns", "reporting"])
def test_every_table_with_money_is_guarded_or_says_what_proves_it(package):
    tables = list(load(package).metadata.tables.values())
    guarded = {one.table.name for one in row_log.guarded(tables)}
    outside = {
        table.name: table.info.get("proved") or table.info.get("working")
        for table in tables
        if table.name not in guarded
        and any(column.name.endswith("_fen") or column.name == "fen" for column in table.columns)
    }
    assert outside == {name: why for name, why in EXCEPTED.items() if name in outside}


@pytest.mark.parametrize("package", ["customers", "finance", "service_desk", "returns", "reporting"])
def test_what_is_proved_otherwise_is_named_by_a_proof_or_a_followed_table(package):
    service = load(package)
    named = {proof.relation for proof in service.proofs} | {each.relation for each in service.followed}
    proved = {table.name for table in service.metadata.tables.values() if "proved" in table.info}
    assert proved <= named


def test_a_migration_that_changes_the_type_of_a_column_has_its_rows_written_down_anew():
    assert {
        each.name
        for each in MIGRATIONS
        if "type_=sa." in (said := each.read_text()) and "read_anew(" not in said
    } == set()
