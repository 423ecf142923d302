"""docs/errors.md: every code that an answer may carry, once, with a sentence for people."""

import re
from collections import Counter
from pathlib import Path

import pytest

from shared.errors import DomainError

pytestmark = pytest.mark.contract

CATALOGUE = Path(__file__).parents[2] / "docs/errors.md"
ROW = re.compile(r"^\| `([a-z0-9_]+)` \| (\d{3}) \| (.*?) \| (.*?) \|$", re.MULTILINE)
WITHOUT_CHINESE_MAX = 26
"""Whose sentence is put together from several where it is raised; it is said in Chinese all the same."""


@pytest.fixture(scope="module")
def rows():
    return ROW.findall(CATALOGUE.read_text())


def test_a_code_means_one_thing_and_has_one_status(rows):
    assert len(rows) > 400
    assert [code for code, times in Counter(code for code, *_ in rows).items() if times > 1] == []
    assert {status for _, status, *_ in rows} <= {
        "400", "401", "403", "404", "409", "413", "415", "422", "429", "503"
    }  # fmt: skip


def test_every_code_says_what_it_means(rows):
    assert [code for code, _, english, _ in rows if not english] == []
    assert len([code for code, _, _, chinese in rows if not chinese]) <= WITHOUT_CHINESE_MAX


def test_refusals_of_the_edge_and_of_every_service_are_there(rows):
    codes = {code for code, *_ in rows}
    edge_and_services = {
        "idempotency_key_reused",
        "points_insufficient",
        "price_below_floor",
        "ticket_not_found",
        "return_not_found",
        "month_incomplete",
    }
    assert edge_and_services <= codes
    assert DomainError.code not in codes
