"""Put a watermark where a consumer's keeper would have put it."""

from datetime import timedelta

from sqlalchemy import text

from shared.clock import CLOCKS_DIFFER_MAX, utc_now

_PUT = text(
    "insert into source_state (source, contiguous_seq, head_seq, max_seq, checked_at)"
    " values (:source, :seq, :seq, :seq, :checked) on conflict (source) do update set contiguous_seq = :seq,"
    " head_seq = :seq, max_seq = :seq, checked_at = :checked"
)


def level_with(database, source: str, *, age_s: int = -120) -> None:
    """Everything `source` had was heard `age_s` seconds ago: as it stands by itself, an id made just now included.

    With `age_s=4`, the usual age of a head, what was made a second ago may still be on its way.
    """
    assert timedelta(seconds=-age_s) > CLOCKS_DIFFER_MAX or age_s > 0
    with database.begin() as conn:
        checked = utc_now() - timedelta(seconds=age_s)
        conn.execute(_PUT, {"source": source, "seq": 1_000, "checked": checked})


def asked_a_while_ago(database) -> None:
    """Whoever asked for something unknown did so 20 seconds earlier: heads were heard since."""
    with database.begin() as conn:
        moved = conn.execute(text("update awaited set asked_at = asked_at - interval '20 seconds'"))
        assert moved.rowcount
