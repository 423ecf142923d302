"""The checker of the nemesis finds each kind of lie, and none where there is none."""

import pytest

from tests.support.nemesis.checker import Op, check


def asked(receipt, outcome, fen=100):
    return [
        Op(at_s=0, till=1, receipt=receipt, fen=fen, outcome="asked"),
        Op(at_s=1, till=1, receipt=receipt, fen=fen, outcome=outcome),
    ]


HISTORY = [*asked("A", "ok"), *asked("B", "unknown"), *asked("C", "unknown"), *asked("D", "ok", 7)]
BOOKS = {"A": 100, "B": 100, "D": 7}
READER = [("A", 100), ("B", 100), ("D", 7)]


def test_a_sound_history_is_sound_whatever_became_of_what_was_in_doubt():
    verdict = check(HISTORY, BOOKS, {"reporting": READER})
    assert verdict.is_sound
    assert (verdict.acknowledged, verdict.recovered) == (2, 1)


@pytest.mark.parametrize(
    ("books", "reader", "kind", "named"),
    [
        ({"B": 100, "D": 7}, READER[1:], "lost", "A from the books"),
        (BOOKS, READER[1:], "lost", "A from reporting"),
        ({**BOOKS, "X": 1}, [*READER, ("X", 1)], "unexpected", "X in the books"),
        (BOOKS, [*READER, ("C", 100)], "unexpected", "C in reporting"),
        (BOOKS, [*READER, ("A", 100)], "doubled", "A in reporting"),
        ({**BOOKS, "A": 99}, READER, "wrong", "A in the books"),
        (BOOKS, [("A", 101), *READER[1:]], "wrong", "A in reporting"),
    ],
)
def test_every_kind_of_lie_is_found_and_named(books, reader, kind, named):
    verdict = check(HISTORY, books, {"reporting": reader})
    assert not verdict.is_sound
    assert named in getattr(verdict, kind)


def test_a_refusal_of_a_sound_receipt_is_a_finding():
    verdict = check([*HISTORY, *asked("E", "refused")], BOOKS, {"reporting": READER})
    assert verdict.refused == ["E"]
    assert not verdict.is_sound
