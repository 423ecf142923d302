"""Metrics declare themselves: one module and one SQL file a version, and nobody else knows a metric by its name."""

import ast
import re
from pathlib import Path

import pytest

import reporting
from deploy.generate.repository import parsed, shown, sources_of
from reporting.metrics.model import Line, Metric
from reporting.metrics.queries.registry import CODES, DECLARED
from reporting.metrics.rules import definitions
from tests.support.table_references import texts

VERSIONS = Path(reporting.__file__).parent / "metrics" / "queries" / "versions"
CODE = re.compile(r"\bM\d+[a-z]?\b")


def test_each_version_is_a_module_with_its_statement_beside_it():
    modules = {path.stem for path in VERSIONS.glob("*.py")} - {"__init__"}
    assert {path.stem for path in VERSIONS.glob("*.sql")} == modules
    assert {f"{code.lower()}_v{version}" for code, version in DECLARED} == modules


def test_each_version_has_one_dated_definition_and_each_definition_a_version():
    dated = [(each.code, each.version) for each in definitions()]
    assert sorted(dated) == sorted(DECLARED)


def test_codes_are_told_in_the_order_of_their_numbers():
    numbers = [int(re.search(r"\d+", code)[0]) for code in CODES]
    assert numbers == sorted(numbers)


@pytest.mark.parametrize("metric", DECLARED.values(), ids=lambda metric: f"{metric.code}-{metric.version}")
def test_a_metric_shows_what_it_tells(metric: Metric):
    """Each line below a figure names values that the figure's detail has, also where nothing was counted."""
    told = names_in(metric.detail(dict.fromkeys(metric.counts, 0)))
    assert {name for line in metric.shown for name in names_of(line)} <= told
    assert metric.counts == tuple(dict.fromkeys(metric.counts))
    for name in ("branch_id", "numerator", "denominator", "n", "has_value", *metric.counts):
        assert re.search(rf"\b{name}\b", metric.sql), name


def names_in(detail: dict, before: str = "") -> set[str]:
    found = set()
    for name, value in detail.items():
        found |= names_in(value, f"{before}{name}.") if isinstance(value, dict) else {f"{before}{name}"}
    return found


def names_of(line: Line) -> set[str]:
    return {name for name in (line.share, line.mean_milli, *(line.counts or ())) if name}


def test_nobody_but_its_own_module_names_a_metric():
    named = {
        shown(path)
        for package in ("reporting", "apotheca")
        for path in sources_of(package)
        if path.parent != VERSIONS
        for text in texts(parsed(path))
        if CODE.search(text)
    }
    named |= {
        shown(path)
        for ending in ("html", "js", "css")
        for path in Path(reporting.__file__).parent.rglob(f"*.{ending}")
        if "echarts" not in path.name and CODE.search(path.read_text())
    }
    assert named == set()


def test_a_metric_that_is_named_would_be_found():
    assert any(CODE.search(text) for text in texts(ast.parse('titles = {"M3": "Return-visit rate"}')))
