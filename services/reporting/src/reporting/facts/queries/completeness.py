"""How complete the facts are, per source: what is here, what the producer has, what waits for a decision.

Source: X3
"""

from typing import Any

from sqlalchemy import Connection, text

_SOURCES = text(
    """
    select w.source, coalesce(s.contiguous_seq, 0) as contiguous_seq,
        greatest(coalesce(s.head_seq, 0), coalesce(s.max_seq, 0)) as head_seq,
        greatest(coalesce(s.head_seq, 0), coalesce(s.max_seq, 0)) - coalesce(s.contiguous_seq, 0) as lag_events,
        (select count(*) from parked_events p where p.source = w.source and p.state = 'parked') as parked_events,
        s.checked_at, s.halted_reason, s.halted_detail
    from unnest(cast(:sources as text[])) with ordinality as w(source, place)
    left join source_state s on s.source = w.source order by w.place
    """
)


def completeness(conn: Connection, sources: tuple[str, ...]) -> list[dict[str, Any]]:
    """One row per source. `lag_events` is how many events the producer has that are not yet here without a gap.

    `halted_reason` is set while nothing of the source is applied, because its log contradicts what was received.
    """
    return [dict(row) for row in conn.execute(_SOURCES, {"sources": list(sources)}).mappings()]
