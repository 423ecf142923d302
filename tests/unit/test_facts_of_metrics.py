"""What each metric is counted from: all of them are there, and a field that no event carries is found."""

import json

import pytest

from deploy.generate import metrics
from deploy.generate.payloads import every_declared

VERSIONS = metrics.FACTS.parents[1] / "queries/versions"
ROWS = json.loads(metrics.FACTS.read_text("utf-8"))


def test_every_metric_of_the_evaluation_is_listed_once():
    codes = [row["metric"] for row in ROWS]
    assert len(codes) == len(set(codes))
    assert {f"M{number}" for number in range(1, 46)} <= set(codes)


def test_a_metric_reads_something_or_says_what_it_waits_for():
    assert [row["metric"] for row in ROWS if not row["reads"] and not row["waits_for"]] == []


def test_a_metric_that_is_computed_says_what_it_reads():
    computed = {path.stem.partition("_")[0].upper() for path in VERSIONS.glob("m*_v*.py")}
    assert computed
    assert computed <= {row["metric"] for row in ROWS if row["reads"]}


def test_everything_that_is_read_is_told():
    assert list(metrics.not_told(ROWS, every_declared())) == []


@pytest.mark.parametrize(
    ("reads", "missing"),
    [
        ({"finance.sale.posted.v1": ["sale_id", "weather"]}, ["M3: finance.sale.posted.v1.weather"]),
        ({"finance.sale.dreamt.v1": ["sale_id"]}, ["M3: finance.sale.dreamt.v1"]),
        ({"returns.return.settled.v1": ["return_id", "reason"]}, []),
    ],
)
def test_a_field_or_an_event_that_nobody_tells_is_named(reads, missing):
    assert list(metrics.not_told([{"metric": "M3", "reads": reads}], every_declared())) == missing
