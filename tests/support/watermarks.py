"""Put a watermark where a consumer's keeper would have put it."""

from datetime import timedelta

from sqlalchemy import text

from shared.clock import CLOCKS_DIFFER_MAX, utc_now

DAY_S = 86_400
_PUT = text(
    "insert into source_state (source, contiguous_seq, head_seq, max_seq, checked_at)"
    " values (:source, :seq, :seq, :seq, :checked) on conflict (source) do update set contiguous_seq = :seq,"
    " head_seq = :seq, max_seq = :seq, checked_at = :checked"
)


def level_with(database, source: str, *, age_s: int = -DAY_S) -> None:
    """Everything `source` had was heard `age_s` seconds ago: as it stands by itself, an id made just now included.

    With `age_s=4`, the usual age of a head, what was made a second ago may still be on its way.
    """
    assert timedelta(seconds=-age_s) > CLOCKS_DIFFER_MAX or age_s > 0
    with database.begin() as conn:
        checked = utc_now() - timedelta(seconds=age_s)
        conn.execute(_PUT, {"source": source, "seq": 1_000, "checked": checked})


def not_level_with(database, source: str) -> None:
    """Something that `source` said is on its way."""
    level_with(database, source)
    with database.begin() as conn:
        conn.execute(
            text("update source_state set head_seq = 1001 where source = :source"), {"source": source}
        )


def asked_a_while_ago(database, *, ago_s: int = 20) -> None:
    """Whoever asked for something unknown did so `ago_s` seconds earlier: heads were heard since."""
    earlier = text("update awaited set asked_at = asked_at - make_interval(secs => :ago_s)")
    with database.begin() as conn:
        assert conn.execute(earlier, {"ago_s": ago_s}).rowcount
