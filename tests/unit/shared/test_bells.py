"""Bells tell the readers of one machine who has more events, and never hold up who rings."""

from shared import bells
from shared.bells import Bell

SHORT_S = 5.0


def test_a_reader_hears_who_rang_while_it_was_busy(tmp_path):
    with Bell(tmp_path, "reporting") as bell:
        bells.ring(tmp_path, "finance")
        bells.ring(tmp_path, "returns")
        bells.ring(tmp_path, "finance")
        assert bell.wait(SHORT_S) == {"finance", "returns"}
        assert bell.wait(0) == set()


def test_every_reader_hears_every_ring(tmp_path):
    with Bell(tmp_path, "reporting") as one, Bell(tmp_path, "customers") as other:
        bells.ring(tmp_path, "finance")
        assert one.wait(SHORT_S) == other.wait(SHORT_S) == {"finance"}


def test_ringing_where_nobody_listens_or_for_one_who_never_reads_returns_at_once(tmp_path):
    bells.ring(tmp_path / "nowhere", "finance")
    Bell(tmp_path, "gone").close()
    with Bell(tmp_path, "deaf") as deaf:
        for _ in range(20_000):
            bells.ring(tmp_path, "finance")
        assert deaf.wait(0) == {"finance"}


def test_a_reader_that_comes_back_hears_again(tmp_path):
    Bell(tmp_path, "reporting").close()
    with Bell(tmp_path, "reporting") as bell:
        bells.ring(tmp_path, "finance")
        assert bell.wait(SHORT_S) == {"finance"}
