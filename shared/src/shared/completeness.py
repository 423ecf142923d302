"""Refuse to close a month while anything of it is missing, and name what.

A month is complete when, for every source, every event up to the producer's head is here, none of the month's
is parked, and counts and amounts per day and type equal the producer's own. Events an operator discarded count
as accounted for: their record, with its reason, stands in for the fact.
Source: X3
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any, Literal

from sqlalchemy import Connection, text

from shared import watermark
from shared.client import ControlTotals, FeedClient, FeedUnavailable
from shared.clock import next_month
from shared.database import Database
from shared.service import Service

PATIENCE_S = 5.0
RETRY_S = 0.1
OBSTACLES_MAX = 1_000

Reason = Literal[
    "missing_events", "parked_events", "control_total_mismatch", "source_unreachable", "unsequenced"
]
Totals = dict[tuple[date, str], tuple[int, int]]
OwnTotals = Callable[[Connection, str, date, date], Totals]
"""`own_totals(conn, source, first, last)`: what the consumer's facts say, (day, type) → (events, amount in fen)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Obstacle:
    """Why a month may not close. For totals, `expected` and `found` are {"events", "amount_fen"}; else counts."""

    source: str
    reason: Reason
    day: date | None = None
    type: str | None = None
    expected: Any = None
    found: Any = None

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "day": self.day.isoformat() if self.day else None}


_PARKED = text(
    """
    select payload->>'day' as day, type, count(*) as events from parked_events
    where source = :source and state = 'parked'
        and (payload->>'day' is null or payload->>'day' between :first and :last)
    group by 1, 2 order by 1, 2
    """
)
_DISCARDED = text(
    """
    select payload->>'day' as day, type, count(*) as events,
        coalesce(sum((payload->>'amount_fen')::bigint), 0)::bigint as amount_fen
    from parked_events
    where source = :source and state = 'discarded' and payload->>'day' between :first and :last
    group by 1, 2
    """
)


def gate(
    database: Database,
    service: Service,
    feeds: Sequence[FeedClient],
    month: date,
    own_totals: OwnTotals,
    *,
    patience_s: float = PATIENCE_S,
) -> list[Obstacle]:
    """Every obstacle to closing `month` (its first day), sources in order; an empty list means: may close.

    Events on their way are waited for up to `patience_s` per source, so that a running system can be closed.
    """
    known = {feed.source: feed for feed in feeds}
    obstacles: list[Obstacle] = []
    for source in service.sources:
        feed = known.get(source)
        if feed is None:
            obstacles.append(Obstacle(source=source, reason="source_unreachable", found="no address is set"))
        else:
            obstacles += _of_source(database, feed, month, own_totals, patience_s)
    return obstacles[:OBSTACLES_MAX]


def _of_source(
    database: Database, feed: FeedClient, month: date, own_totals: OwnTotals, patience_s: float
) -> list[Obstacle]:
    last = next_month(month) - timedelta(days=1)
    deadline = time.monotonic() + patience_s
    while True:
        try:
            produced = feed.control_totals(month, last)
        except FeedUnavailable as error:
            obstacles = [Obstacle(source=feed.source, reason="source_unreachable", found=error.detail)]
        else:
            with database.begin() as conn:
                watermark.advance(conn, feed.source)
            obstacles = _compare(database, feed.source, month, last, produced, own_totals)
        if not obstacles or time.monotonic() >= deadline:
            return obstacles
        time.sleep(RETRY_S)


def _compare(
    database: Database, source: str, first: date, last: date, produced: ControlTotals, own_totals: OwnTotals
) -> list[Obstacle]:
    span = {"source": source, "first": first.isoformat(), "last": last.isoformat()}
    with database.read() as conn:
        contiguous = watermark.state_of(conn, source).contiguous_seq
        parked = conn.execute(_PARKED, span).all()
        own = dict(own_totals(conn, source, first, last))
        for row in conn.execute(_DISCARDED, span):
            key = (date.fromisoformat(row.day), row.type)
            events, amount_fen = own.get(key, (0, 0))
            own[key] = (events + row.events, amount_fen + row.amount_fen)
    obstacles = []
    if produced.unsequenced:
        obstacles.append(
            Obstacle(source=source, reason="unsequenced", expected=0, found=produced.unsequenced)
        )
    if contiguous < produced.through_seq:
        obstacles.append(
            Obstacle(source=source, reason="missing_events", expected=produced.through_seq, found=contiguous)
        )
    obstacles += [
        Obstacle(
            source=source,
            reason="parked_events",
            day=date.fromisoformat(row.day) if row.day else None,
            type=row.type,
            expected=0,
            found=row.events,
        )
        for row in parked
    ]
    obstacles += [
        Obstacle(
            source=source,
            reason="control_total_mismatch",
            day=day,
            type=event_type,
            expected=_shown(produced.days.get((day, event_type))),
            found=_shown(own.get((day, event_type))),
        )
        for day, event_type in sorted({*produced.days, *own})
        if produced.days.get((day, event_type)) != own.get((day, event_type))
    ]
    return obstacles


def _shown(total: tuple[int, int] | None) -> dict[str, int]:
    events, amount_fen = total or (0, 0)
    return {"events": events, "amount_fen": amount_fen}
