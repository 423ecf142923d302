"""docs/errors.md: every code that an answer may carry, once, with a sentence for people."""

import re
from collections import Counter
from pathlib import Path

import pytest

from deploy.generate.catalogue import WITHOUT_OPERATION
from deploy.generate.errors import TITLES, refusals_of, sentences
from deploy.generate.general import GENERAL
from deploy.generate.refusals import answered
from shared.errors import DomainError

pytestmark = pytest.mark.contract

CATALOGUE = Path(__file__).parents[2] / "docs/errors.md"
ROW = re.compile(r"^\| `([a-z0-9_]+)` \| (\d{3}) \| (.*?) \| (.*?) \| (.*?) \|$", re.MULTILINE)


CHINESE = re.compile("[\u4e00-\u9fff]")


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
    assert [code for code, _, english, *_ in rows if len(english.split()) < 2] == []
    assert [code for code, _, _, chinese, _ in rows if not CHINESE.search(chinese)] == []


def test_general_sentences_are_of_codes_that_have_none_of_their_own():
    raised = sentences()
    silent = {
        each.code for package in TITLES for each in refusals_of(package) if not raised.get(each.__name__)
    }
    assert set(GENERAL) == silent


def test_what_no_operation_answers_is_told_of_events_alone():
    """What is refused of events and what a request is answered with do not mix."""
    text = CATALOGUE.read_text()
    parked = {code for code, *_ in ROW.findall(text[text.index("## Parked events") :])}
    assert parked & answered() == set()
    everywhere = {code for code, *_ in ROW.findall(text)}
    assert everywhere - parked - answered() == WITHOUT_OPERATION | {"method_not_allowed"}


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
