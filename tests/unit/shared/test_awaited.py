"""How long a question counts and how long it is kept: one bound each, and the documents say the same."""

from deploy.generate.repository import ROOT
from shared import awaited


def test_no_question_is_forgotten_that_still_counts():
    assert awaited.WORD_AWAITED_MAX < awaited.ASKED_AGO_MAX < awaited.KEPT_MAX


def test_the_table_of_tables_says_when_questions_are_forgotten():
    minutes = int(awaited.KEPT_MAX.total_seconds()) // 60
    told = f"| pruned | `awaited` | job `prune_awaited`, after {minutes} minutes:"
    assert told in (ROOT / "docs" / "tables.md").read_text()
