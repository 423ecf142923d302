"""Know exactly which events are missing, fetch them from their producer, forget what is certainly known.

`contiguous_seq` is the number up to which every event of a source has been applied or parked here. It is moved
by this small job and not by the consumers' transactions, which would queue on the row.

Pruning is in two steps, because a delivery may be deciding at this moment whether it is a duplicate: first
`pruned_seq` is raised (from then on every new statement treats those numbers as known), and the rows below are
deleted only MARGIN_S later, ten times longer than any statement may run.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy import Connection, text

from shared import messaging_metrics as metrics
from shared.client import FeedClient, FeedUnavailable
from shared.consumer import apply_batch
from shared.database import Database
from shared.service import Service
from shared.wire import Received

ADVANCE_ROWS = 50_000
PRUNE_ROWS = 10_000
MARGIN_S = 600.0
REPAIR_EVENTS = 1_000
RANGES_MAX = 1_000
QUIET_AFTER_S = 20.0
BRIDGE_EVENTS = 50
"""Two holes nearer than that are fetched in one request; what lies between is known and changes nothing."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceState:
    source: str
    contiguous_seq: int
    pruned_seq: int
    max_seq: int
    head_seq: int


_ENSURE = text(
    "insert into source_state (source) select unnest(cast(:sources as text[])) on conflict do nothing"
)
_READ = text(
    "select source, contiguous_seq, pruned_seq, max_seq, head_seq from source_state where source = :source"
)
_LOCK = text("select contiguous_seq from source_state where source = :source for update skip locked")
# Islands: consecutive numbers have the same difference to their rank; the first island that touches the
# watermark is the one to merge.
_ADVANCE = text(
    """
    with above as (
        select seq, seq - row_number() over (order by seq) as island
        from (select seq from inbox where source = :source and seq > :contiguous order by seq limit :rows) as next
    )
    update source_state s set
        contiguous_seq = coalesce((select max(seq) from above where island = :contiguous), s.contiguous_seq),
        max_seq = greatest(s.max_seq, coalesce((select max(seq) from inbox where source = :source), 0)),
        advanced_at = clock_timestamp()
    where s.source = :source
    returning contiguous_seq, (select count(*) from above)
    """
)
_UNSETTLED = text(
    """
    select exists (
        select from unnest(cast(:sources as text[])) as wanted(source) left join source_state s using (source)
        where s.source is null or contiguous_seq < greatest(max_seq, head_seq)
            or exists (select from inbox i where i.source = s.source and i.seq > s.contiguous_seq)
    )
    """
)
_MISSING = text(
    """
    select first, last from (
        select lag(seq, 1, cast(:contiguous as bigint)) over (order by seq) + 1 as first, seq - 1 as last
        from inbox where source = :source and seq > :contiguous
    ) as hole where first <= last order by first limit :ranges
    """
)


def ensure_sources(conn: Connection, sources: Sequence[str]) -> None:
    """Give every source its row."""
    conn.execute(_ENSURE, {"sources": list(sources)})


def state_of(conn: Connection, source: str) -> SourceState:
    row = conn.execute(_READ, {"source": source}).one_or_none()
    if row is None:
        return SourceState(source=source, contiguous_seq=0, pruned_seq=0, max_seq=0, head_seq=0)
    return SourceState(**row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for a row as a mapping


def advance(conn: Connection, source: str) -> int:
    """Merge committed inbox rows into the watermark, in the caller's transaction; return the watermark.

    Skips when another process is at it. At most ADVANCE_ROWS numbers per turn.
    """
    contiguous = conn.execute(_LOCK, {"source": source}).scalar()
    if contiguous is None:
        ensure_sources(conn, [source])
        contiguous = conn.execute(_LOCK, {"source": source}).scalar()
    if contiguous is None:
        return state_of(conn, source).contiguous_seq
    while True:
        merged, above = conn.execute(
            _ADVANCE, {"source": source, "contiguous": contiguous, "rows": ADVANCE_ROWS}
        ).one()
        if above < ADVANCE_ROWS or merged == contiguous:
            return int(merged)
        contiguous = merged


def advance_all(database: Database, service: Service) -> None:
    """`advance` every source, each in a transaction of its own."""
    for source in service.sources:
        with database.begin() as conn:
            advance(conn, source)


def is_any_unsettled(conn: Connection, sources: Sequence[str]) -> bool:
    """Whether an event of any of `sources` is missing, or is here and not yet counted in the watermark."""
    return bool(conn.execute(_UNSETTLED, {"sources": list(sources)}).scalar())


def missing_ranges(conn: Connection, source: str, *, through: int) -> list[tuple[int, int]]:
    """The numbers not here yet, as (first, last) ranges up to `through`, oldest first, at most RANGES_MAX."""
    state = state_of(conn, source)
    rows = conn.execute(
        _MISSING, {"source": source, "contiguous": state.contiguous_seq, "ranges": RANGES_MAX}
    ).all()
    ranges = [(row.first, min(row.last, through)) for row in rows if row.first <= through]
    last_here = max(state.contiguous_seq, state.max_seq)
    if len(rows) < RANGES_MAX and through > last_here:
        ranges.append((last_here + 1, through))
    return ranges


def bridged(ranges: Sequence[tuple[int, int]], gap: int = BRIDGE_EVENTS) -> list[tuple[int, int]]:
    """Join ranges that lie nearer than `gap`: fewer requests for a few known events more."""
    joined: list[tuple[int, int]] = []
    for first, last in ranges:
        if joined and first - joined[-1][1] <= gap:
            joined[-1] = (joined[-1][0], last)
        else:
            joined.append((first, last))
    return joined


def repair(database: Database, service: Service, feed: FeedClient, *, through: int) -> int:
    """Fetch every missing event of the feed's source up to `through`, through the same inbox; return how many.

    Raises FeedUnavailable.
    """
    with database.begin() as conn:
        advance(conn, feed.source)
        ranges = missing_ranges(conn, feed.source, through=through)
    repaired = 0
    for first, last in bridged(ranges):
        after = first - 1
        while after < last:
            page: Sequence[Received] = feed.events(after=after, limit=min(REPAIR_EVENTS, last - after))
            if not page:
                break
            result = apply_batch(database, service, page)
            repaired += result.fresh + result.parked
            after += len(page)
    if repaired:
        metrics.GAP_REPAIRED.labels(service.name, feed.source).inc(repaired)
        log.warning("gap_repaired", service=service.name, source=feed.source, events=repaired)
    with database.begin() as conn:
        advance(conn, feed.source)
    return repaired


def record_head(conn: Connection, source: str, head_seq: int) -> None:
    conn.execute(
        text(
            "update source_state set head_seq = greatest(head_seq, :head), checked_at = clock_timestamp()"
            " where source = :source"
        ),
        {"source": source, "head": head_seq},
    )


def raise_pruned(conn: Connection, source: str) -> int:
    """Step one of pruning: from now on every number up to the watermark is known without its inbox row."""
    pruned: int = conn.execute(
        text(
            "update source_state set pruned_seq = contiguous_seq where source = :source returning pruned_seq"
        ),
        {"source": source},
    ).scalar_one()
    return pruned


def delete_pruned(conn: Connection, source: str, through: int, *, limit: int = PRUNE_ROWS) -> int:
    """Step two: delete inbox rows up to `through`, a `pruned_seq` that was committed MARGIN_S ago; at most `limit`."""
    result = conn.execute(
        text(
            "delete from inbox where source = :source and seq in"
            " (select seq from inbox where source = :source and seq <= :through order by seq limit :limit)"
        ),
        {"source": source, "through": through, "limit": limit},
    )
    return result.rowcount


@dataclass(slots=True)
class _Sight:
    """What the keeper saw of a source, and since when nothing moved."""

    contiguous: int = -1
    contiguous_since: float = 0.0
    max_seq: int = -1
    max_since: float = 0.0
    pruned: int | None = None
    pruned_at: float = 0.0


class Keeper:
    """Advances watermarks, finds and repairs gaps, prunes. One active keeper per service.

    Call `turn` twice a second while it says that something is unsettled, else at least every `head_every_s`. The
    head of a source from which nothing came for QUIET_AFTER_S is asked for every `quiet_head_every_s` only.

    A gap is open when the watermark has not moved for `gap_s` although later events are here; the tail is lost
    when the producer's head has been ahead for `tail_s` and nothing new arrives.
    """

    def __init__(
        self,
        database: Database,
        service: Service,
        feeds: Sequence[FeedClient],
        *,
        gap_s: float = 5.0,
        tail_s: float = 10.0,
        head_every_s: float = 5.0,
        quiet_head_every_s: float = 5.0,
        margin_s: float = MARGIN_S,
    ) -> None:
        self._database = database
        self._service = service
        self._feeds = {feed.source: feed for feed in feeds}
        self._gap_s = gap_s
        self._tail_s = tail_s
        self._head_every_s = head_every_s
        self._quiet_head_every_s = max(head_every_s, quiet_head_every_s)
        self._margin_s = margin_s
        self._head_at: dict[str, float] = {}
        self._away_until: dict[str, float] = {}
        self._seen = {source: _Sight() for source in service.sources}

    def turn(self) -> bool:
        """One look at every source; return whether anything is unsettled: a gap, or applied and not yet counted.

        A producer that is away is asked again later; database faults are raised.
        """
        with self._database.begin() as conn:
            is_unsettled = is_any_unsettled(conn, self._service.sources)
        if is_unsettled:
            advance_all(self._database, self._service)
        for source in self._service.sources:
            if not is_unsettled and not self._is_due(source, time.monotonic()):
                continue
            try:
                self._look(source, time.monotonic())
            except FeedUnavailable as error:
                self._away_until[source] = time.monotonic() + self._head_every_s
                log.warning(
                    "producer_unreachable", service=self._service.name, source=source, detail=error.detail
                )
        return is_unsettled

    def _is_due(self, source: str, now: float) -> bool:
        sight = self._seen[source]
        return self._is_prune_due(sight, now) or self._is_head_due(source, now)

    def _is_head_due(self, source: str, now: float) -> bool:
        if source not in self._feeds or now < self._away_until.get(source, 0.0):
            return False
        is_quiet = now - self._seen[source].max_since > QUIET_AFTER_S
        every_s = self._quiet_head_every_s if is_quiet else self._head_every_s
        return now - self._head_at.get(source, -every_s) >= every_s

    def _is_prune_due(self, sight: _Sight, now: float) -> bool:
        return sight.pruned is None or now - sight.pruned_at >= self._margin_s

    def _look(self, source: str, now: float) -> None:
        with self._database.begin() as conn:
            state = state_of(conn, source)
        sight = self._seen[source]
        if state.contiguous_seq != sight.contiguous:
            sight.contiguous, sight.contiguous_since = state.contiguous_seq, now
        if state.max_seq != sight.max_seq:
            sight.max_seq, sight.max_since = state.max_seq, now
        self._prune(source, sight, now)
        through = state.max_seq if now - sight.contiguous_since > self._gap_s else 0
        feed = self._feeds.get(source)
        if feed is None or now < self._away_until.get(source, 0.0):
            self._show(state)
            return
        if self._is_head_due(source, now):
            self._head_at[source] = now
            with self._database.begin() as conn:
                record_head(conn, source, feed.head().last_seq)
                state = state_of(conn, source)
        self._show(state)
        if state.head_seq > state.max_seq and now - sight.max_since > self._tail_s:
            through = state.head_seq
        if through > state.contiguous_seq:
            repair(self._database, self._service, feed, through=through)

    def _prune(self, source: str, sight: _Sight, now: float) -> None:
        if not self._is_prune_due(sight, now):
            return
        with self._database.begin() as conn:
            if sight.pruned is not None and delete_pruned(conn, source, sight.pruned) == PRUNE_ROWS:
                return
            sight.pruned = raise_pruned(conn, source)
        sight.pruned_at = now

    def _show(self, state: SourceState) -> None:
        name = self._service.name
        behind = max(state.head_seq, state.max_seq) - state.contiguous_seq
        metrics.LAG_EVENTS.labels(name, state.source).set(behind)
        metrics.GAP_OPEN.labels(name, state.source).set(max(0, state.max_seq - state.contiguous_seq))
