"""Every table of every service is in docs/tables.md once, with what keeps it from growing for ever."""

import re
from collections import Counter
from pathlib import Path

import pytest

from shared import scheduler
from shared.service import load
from shared.settings import Settings

KINDS = {"record", "copy", "archived", "pruned", "fixed", "rare"}
LIST = Path(__file__).parents[2] / "docs" / "tables.md"
PACKAGES = ("customers", "finance", "service_desk", "returns", "reporting")


def listed(section):
    """(kind, tables, why) of each line of a section."""
    body = LIST.read_text().split(f"## {section}\n")[1].split("\n## ")[0]
    rows = [line.strip("|").split("|") for line in body.splitlines() if line.startswith("| ")][1:]
    return [(kind.strip(), re.findall(r"`([^`]+)`", tables), why.strip()) for kind, tables, why in rows]


@pytest.mark.parametrize("package", PACKAGES)
def test_every_table_is_listed_once_with_what_bounds_it(package):
    rows = [*listed("Every service"), *listed(package)]
    counted = Counter(table for _, tables, _ in rows for table in tables)
    assert [table for table, times in counted.items() if times > 1] == []
    assert set(counted) == set(load(package).metadata.tables)
    assert {kind for kind, _, _ in rows} <= KINDS
    assert all(why for _, _, why in rows)


@pytest.mark.parametrize("package", PACKAGES)
def test_a_job_that_is_said_to_bound_a_table_is_run(package):
    jobs = {job.name for job in scheduler.jobs_of(load(package), Settings(database_url=""))}
    named = {
        name
        for kind, _, why in [*listed("Every service"), *listed(package)]
        if kind in {"archived", "pruned"}
        for name in re.findall(r"job `(\w+)`", why)
    }
    assert named <= jobs


@pytest.mark.parametrize("package", PACKAGES)
def test_what_is_said_to_be_pruned_may_be_deleted_and_records_may_not_vanish(package):
    tables = load(package).metadata.tables
    for kind, names, _ in [*listed("Every service"), *listed(package)]:
        for name in names:
            if kind == "pruned":
                assert "removes" in tables[name].info, name
