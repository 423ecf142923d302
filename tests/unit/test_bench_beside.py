"""Two versions beside each other: who sells when, and what is told of it. Nothing is started here."""

from itertools import pairwise
from pathlib import Path

import pytest

from deploy.bench import beside


class Recorded(beside.Version):
    """Sells nothing: says who was asked, with which first receipt."""

    def __init__(self, name, asked):
        super().__init__(Path(name))
        self.name, self.asked = name, asked

    def sell(self, seconds, first):
        self.asked.append((self.name, first))
        return float(len(self.asked))


@pytest.fixture
def asked():
    told = []
    beside.sell_in_turns(Recorded("this", told), Recorded("other", told), 4)
    return told


def test_both_sell_once_a_round_and_take_turns_in_beginning(asked):
    assert [name for name, _ in asked] == ["this", "other", "other", "this"] * 2


def test_no_receipt_is_sold_twice(asked):
    firsts = [first for name, first in asked if name == "this"]
    assert all(after - before == beside.APART for before, after in pairwise(firsts))
    assert firsts == [first for name, first in asked if name == "other"]


def test_the_ratio_is_the_median_of_rounds_and_not_of_rates():
    assert beside.ratio_of([50.0, 90.0, 300.0], [100.0, 100.0, 300.0]) == 0.9
    assert beside.ratio_of([100.0, 10.0, 1.0], [200.0, 20.0, 2.0]) == 0.5


def test_rounds_that_only_one_sold_in_are_no_measure():
    with pytest.raises(ValueError, match="zip"):
        beside.ratio_of([1.0, 2.0], [1.0])
