"""An id of ours tells when it was made."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.clock import made_at, new_id, utc_now


@pytest.mark.parametrize(
    ("some_id", "made"),
    [
        ("0199b1c0-0000-7000-8000-000000000001", datetime(2025, 10, 5, tzinfo=UTC).date()),
        ("0199b1c0-0000-4000-8000-000000000001", None),
        ("ffffffff-ffff-7fff-8fff-ffffffffffff", None),
        ("no id", None),
        ("", None),
    ],
)
def test_an_id_tells_when_it_was_made(some_id, made):
    found = made_at(some_id)
    assert (found and found.date()) == made


def test_a_new_id_was_made_now():
    found = made_at(new_id())
    assert found is not None
    assert abs(found - utc_now()) < timedelta(seconds=60)
