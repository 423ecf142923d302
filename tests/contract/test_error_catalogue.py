"""docs/errors.md: every code that an answer may carry, once, with a sentence for people."""

import re
from collections import Counter
from pathlib import Path

import pytest

from shared.errors import DomainError

pytestmark = pytest.mark.contract

CATALOGUE = Path(__file__).parents[2] / "docs/errors.md"
ROW = re.compile(r"^\| `([a-z0-9_]+)` \| (\d{3}) \| (.*?) \| (.*?) \| (.*?) \|$", re.MULTILINE)


CHINESE = re.compile("[\u4e00-\u9fff]")
PUT_TOGETHER = {
    "consent_not_awaited",
    "expense_finding_invalid",
    "json_duplicate_key",
    "json_lone_surrogate",
    "json_minus_zero",
    "json_not_an_object",
    "json_nul_character",
    "json_number_not_finite",
    "json_number_out_of_range",
    "json_too_deep",
    "lot_expiry_contradicts",
    "order_below_shipped",
    "payload_invalid",
    "points_not_for_these_goods",
    "price_rule_invalid",
    "return_quantity_too_large",
    "sample_forbidden",
    "solution_not_agreed",
    "solution_not_proposable",
    "ticket_not_acknowledgeable",
    "ticket_not_archivable",
    "ticket_not_assignable",
    "ticket_not_contactable",
    "ticket_not_executing",
    "ticket_not_reopenable",
    "unknown_type",
}
"""Whose sentence names what was found, and is no constant anywhere."""


@pytest.fixture(scope="module")
def rows():
    return ROW.findall(CATALOGUE.read_text())


def test_a_code_means_one_thing_and_has_one_status(rows):
    assert len(rows) > 400
    assert [code for code, times in Counter(code for code, *_ in rows).items() if times > 1] == []
    assert {status for _, status, *_ in rows} <= {
        "400", "401", "403", "404", "405", "409", "413", "415", "422", "429", "503"
    }  # fmt: skip


def test_every_code_says_what_it_means_in_both_languages(rows):
    assert {code for code, _, english, *_ in rows if english == "—"} == PUT_TOGETHER
    assert [code for code, _, english, chinese, _ in rows if not chinese and english != "—"] == []
    assert [code for code, _, _, chinese, _ in rows if chinese and not CHINESE.search(chinese)] == []


def test_every_code_says_what_to_do_in_whole_sentences(rows):
    assert [code for code, *_, cure in rows if not (cure.endswith(".") and len(cure.split()) > 2)] == []


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
