"""Refuse to close a month while anything of it is missing, and name what.

`gate` is for who only listens: every fact of the month is here and adds up. `hear` is for who also speaks: what others
made of its own events has come back as well, so that a close waits for sale → points → liability, however slow.

A month is complete when, for every source, its log is the one that was read (same epoch, same ids all the way),
every event up to the producer's head is here, none of the month's is parked, and counts and amounts per day and
type equal the producer's own. Events an operator discarded count
as accounted for: their record, with its reason, stands in for the fact.
Source: X3
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any, Literal, cast

from sqlalchemy import Connection, text

from shared import watermark
from shared.client import ControlTotals, FeedClient, FeedUnavailable, Heard
from shared.clock import next_month
from shared.database import Database
from shared.service import Service
from shared.watermark import SourceState

PATIENCE_S = 5.0
RETRY_S = 0.1
OBSTACLES_MAX = 1_000

Reason = Literal[
    "missing_events",
    "parked_events",
    "control_total_mismatch",
    "source_unreachable",
    "unsequenced",
    "source_behind",
    "parked_at_source",
    "still_written",
    "untold",
    "period_open",
    "unknown_epoch",
    "log_behind",
    "other_history",
    "other_event",
]
"""`source_behind`: the source has applied our events up to `found` and has to come to `expected`. `parked_at_source`: it
could not apply `found` of them. `still_written`: events of the month were written while we asked. `untold`: a
job still tells what counts to days past. `period_open`: the
source has not closed its own books of the month.
"""
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
    for source in service.closing_sources:
        feed = known.get(source)
        if feed is None:
            obstacles.append(Obstacle(source=source, reason="source_unreachable", found="no address is set"))
        else:
            obstacles += _of_source(database, feed, month, own_totals, patience_s)
    return obstacles[:OBSTACLES_MAX]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hearing:
    """What keeps a span of days from being complete here; nothing: all was heard that `own_events` of ours caused."""

    obstacles: list[Obstacle]
    own_events: int


def hear(
    database: Database,
    service: Service,
    feeds: Sequence[FeedClient],
    first: date,
    last: date,
    *,
    patience_s: float = PATIENCE_S,
) -> Hearing:
    """Whether everything of the days `first` to `last` is here that our sources know or will make of our own events.

    Per source: its events of those days are numbered; it has applied ours of those days, when it listens to us; its
    numbers up to there are all here, none parked there or here. Waits up to `patience_s` for what is on its way.
    Who acts on the answer holds off writers of those days and sees that `own_events` still are as many.
    """
    deadline = time.monotonic() + patience_s
    reached: tuple[int, int] | None = None  # our events of those days, and the number that covers them
    while True:
        with database.read() as conn:
            head, waiting, own_events = _own(conn, first, last)
        if not waiting and (reached is None or reached[0] != own_events):
            reached = own_events, head
        obstacles = _behind(
            database, service, feeds, (first, last), reached[1] if reached and not waiting else None
        )
        if not obstacles:
            with database.read() as conn:
                after = count_own(conn, first, last)
            if after == own_events:
                return Hearing(obstacles=[], own_events=own_events)
            obstacles = [
                Obstacle(source=service.name, reason="still_written", expected=own_events, found=after)
            ]
        if time.monotonic() >= deadline:
            return Hearing(obstacles=obstacles[:OBSTACLES_MAX], own_events=own_events)
        time.sleep(RETRY_S)


_OWN = text(
    """
    select coalesce((select last_seq from outbox_head where one = 1), 0),
        (select count(*) from outbox where seq is null and day between :first and :last),
        (select coalesce(sum(events), 0)::bigint from outbox_totals where day between :first and :last)
    """
)


def _own(conn: Connection, first: date, last: date) -> tuple[int, int, int]:
    """Our newest number; how many events of those days wait for one; how many there are."""
    head, waiting, numbered = conn.execute(_OWN, {"first": first, "last": last}).one()
    return head, waiting, numbered + waiting


def count_own(conn: Connection, first: date, last: date) -> int:
    """How many events of those days we have written."""
    return _own(conn, first, last)[2]


def _behind(
    database: Database,
    service: Service,
    feeds: Sequence[FeedClient],
    span: tuple[date, date],
    reached: int | None,
) -> list[Obstacle]:
    """`reached` covers our own events of those days; None while one of them has no number."""
    known = {feed.source: feed for feed in feeds}
    obstacles: list[Obstacle] = []
    for source in service.closing_sources:
        with database.read() as conn:
            state = watermark.state_of(conn, source)
        try:
            produced = _asked(known.get(source), span, state.contiguous_seq)
        except FeedUnavailable as error:
            obstacles.append(Obstacle(source=source, reason="source_unreachable", found=error.detail))
            continue
        if other_log := log_obstacles(state, produced):
            obstacles += other_log
            continue
        with database.begin() as conn:
            here = watermark.advance(conn, source)
        if (ours := produced.heard.get(service.name)) is not None:
            obstacles += _of_ours(service.name, source, ours, reached)
        obstacles += _not_here(source, produced, here)
        with database.read() as conn:
            obstacles += _parked(conn, source, *span)
    return obstacles


def _asked(feed: FeedClient | None, span: tuple[date, date], at: int) -> ControlTotals:
    if feed is None:
        raise FeedUnavailable("no address is set", retry_after_s=60)
    return feed.control_totals(*span, at=at)


def _of_ours(service: str, source: str, heard: Heard, reached: int | None) -> list[Obstacle]:
    """What the source has still to make of our own events."""
    found = []
    if reached is None:
        found.append(Obstacle(source=service, reason="unsequenced", expected=0))
    elif heard.through_seq < reached:
        found.append(
            Obstacle(source=source, reason="source_behind", expected=reached, found=heard.through_seq)
        )
    if heard.parked:
        found.append(Obstacle(source=source, reason="parked_at_source", expected=0, found=heard.parked))
    return found


def _parked(conn: Connection, source: str, first: date, last: date) -> list[Obstacle]:
    """Events of those days that could not be applied here, and those that do not tell their day."""
    rows = conn.execute(
        _PARKED, {"source": source, "first": first.isoformat(), "last": last.isoformat()}
    ).all()
    return [
        Obstacle(
            source=source,
            reason="parked_events",
            day=date.fromisoformat(row.day) if row.day else None,
            type=row.type,
            expected=0,
            found=row.events,
        )
        for row in rows
    ]


def _of_source(
    database: Database, feed: FeedClient, month: date, own_totals: OwnTotals, patience_s: float
) -> list[Obstacle]:
    last = next_month(month) - timedelta(days=1)
    deadline = time.monotonic() + patience_s
    while True:
        try:
            with database.begin() as conn:
                state = watermark.state_of(conn, feed.source)
            produced = feed.control_totals(month, last, at=state.contiguous_seq)
        except FeedUnavailable as error:
            obstacles = [Obstacle(source=feed.source, reason="source_unreachable", found=error.detail)]
        else:
            with database.begin() as conn:
                watermark.advance(conn, feed.source)
            obstacles = log_obstacles(state, produced) or _compare(
                database, feed.source, month, last, produced, own_totals
            )
        if not obstacles or time.monotonic() >= deadline:
            return obstacles
        time.sleep(RETRY_S)


def _not_here(source: str, produced: ControlTotals, contiguous: int) -> list[Obstacle]:
    """What the producer has not numbered yet, and what of it is not here without a gap."""
    obstacles = []
    if produced.unsequenced:
        obstacles.append(
            Obstacle(source=source, reason="unsequenced", expected=0, found=produced.unsequenced)
        )
    if contiguous < produced.through_seq:
        obstacles.append(
            Obstacle(source=source, reason="missing_events", expected=produced.through_seq, found=contiguous)
        )
    return obstacles


def log_obstacles(state: SourceState, produced: ControlTotals) -> list[Obstacle]:
    """Why the log that the totals are of is not the one that was read; asked with `at=state.contiguous_seq`.

    Every close that rests on another service's events asks this.
    """
    if state.halted_reason is not None:
        reason = cast("Reason", state.halted_reason)
        return [Obstacle(source=state.source, reason=reason, found=state.halted_detail)]
    found = watermark.contradiction(
        state,
        epoch=produced.epoch,
        last_seq=produced.through_seq,
        at=state.contiguous_seq,
        at_hash=produced.at_hash,
        own_hash=state.log_hash,
    )
    return [] if found is None else [Obstacle(source=state.source, reason=found.reason, found=found.detail)]


def _compare(
    database: Database, source: str, first: date, last: date, produced: ControlTotals, own_totals: OwnTotals
) -> list[Obstacle]:
    span = {"source": source, "first": first.isoformat(), "last": last.isoformat()}
    with database.read() as conn:
        contiguous = watermark.state_of(conn, source).contiguous_seq
        parked = _parked(conn, source, first, last)
        own = dict(own_totals(conn, source, first, last))
        for row in conn.execute(_DISCARDED, span):
            key = (date.fromisoformat(row.day), row.type)
            events, amount_fen = own.get(key, (0, 0))
            own[key] = (events + row.events, amount_fen + row.amount_fen)
    obstacles = [*_not_here(source, produced, contiguous), *parked]
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
