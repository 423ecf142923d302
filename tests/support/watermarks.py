"""Put a watermark where a consumer's keeper would have put it."""

from datetime import timedelta

from sqlalchemy import text

from shared.clock import CLOCKS_DIFFER_MAX, utc_now

_PUT = text(
    "insert into source_state (source, contiguous_seq, head_seq, max_seq, checked_at)"
    " values (:source, :seq, :seq, :seq, :checked) on conflict (source) do update set contiguous_seq = :seq,"
    " head_seq = :seq, max_seq = :seq, checked_at = :checked"
)


def level_with(database, source: str) -> None:
    """Everything `source` had, an id made just now included, was heard."""
    checked = utc_now() + CLOCKS_DIFFER_MAX + timedelta(minutes=1)
    with database.begin() as conn:
        conn.execute(_PUT, {"source": source, "seq": 1_000, "checked": checked})
