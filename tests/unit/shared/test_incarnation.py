"""The hash of a log: the same in any order of joining, another for every other event or place."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from shared import incarnation

seqs = st.integers(1, 2**62)


@given(st.integers(-(2**63), 2**63 - 1))
def test_a_hash_is_the_same_after_its_journey(log_hash):
    assert incarnation.read(incarnation.shown(log_hash)) == log_hash


def test_no_hash_stays_none():
    assert incarnation.shown(None) is None
    assert incarnation.read("") is None


@given(seqs, st.uuids(), st.uuids())
def test_another_event_or_another_place_has_another_digest(seq, one, other):
    assert (incarnation.digest(seq, one) == incarnation.digest(seq, other)) == (one == other)
    assert incarnation.digest(seq, one) != incarnation.digest(seq + 1, one)


def test_the_digest_is_the_one_that_stored_logs_are_made_of():
    assert incarnation.digest(1, UUID("01890a5d-ac96-774b-bcce-b302099a8057")) == GOLDEN


GOLDEN = -2048576633121038638
