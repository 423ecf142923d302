"""Know exactly which events are missing, and fetch them from their producer.

`contiguous_seq` is the number up to which every event of a source has been applied or parked here. It is moved
by this small job and not by the consumers' transactions, which would queue on the row.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy import Connection, text

from shared import messaging_metrics as metrics
from shared.client import Claim, FeedClient, Head
from shared.clock import CLOCKS_DIFFER_MAX, made_at, utc_now
from shared.consumer import apply_batch
from shared.database import Database
from shared.halting import NO_ID, HaltReason, halt
from shared.incarnation import DIGEST
from shared.service import Service
from shared.wire import Received

ADVANCE_ROWS = 50_000
REPAIR_EVENTS = 1_000
RANGES_MAX = 1_000
QUIET_AFTER_S = 20.0
BRIDGE_EVENTS = 50
"""Two holes nearer than that are fetched in one request; what lies between is known and changes nothing."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceState:
    """What is known of a source. `log_hash` is over everything up to `contiguous_seq`, None when not known.

    `epoch` is None until the source was first heard of; `halted_reason` is set while nothing of it is applied;
    `stuck_since` while the watermark stands although more is known to exist.
    """

    source: str
    contiguous_seq: int
    pruned_seq: int
    max_seq: int
    head_seq: int
    epoch: int | None
    log_hash: int | None
    checked_at: datetime | None
    stuck_since: datetime | None
    halted_at: datetime | None
    halted_reason: str | None
    halted_detail: str | None


_ENSURE = text(
    "insert into source_state (source) select unnest(cast(:sources as text[])) on conflict do nothing"
)
_READ = text(
    "select source, contiguous_seq, pruned_seq, max_seq, head_seq, epoch, log_hash, checked_at, stuck_since,"
    " halted_at, halted_reason, halted_detail from source_state where source = :source"
)
_LOCK = text("select contiguous_seq from source_state where source = :source for update skip locked")
# Islands: consecutive numbers have the same difference to their rank; the first island that touches the
# watermark is the one to merge. A message that could not be read has no id yet and is no part of an island.
_ADVANCE = text(
    f"""
    with above as (
        select seq, event_id, seq - row_number() over (order by seq) as island
        from (
            select seq, event_id from inbox
            where source = :source and seq > :contiguous and event_id <> '{NO_ID}' order by seq limit :rows
        ) as next
    ), merged as (
        select max(seq) as seq, bit_xor({DIGEST.format(seq="seq", id="event_id")}) as digest
        from above where island = :contiguous
    ), reached as (
        select coalesce(merged.seq, s.contiguous_seq) as contiguous_seq, coalesce(merged.digest, 0) as digest,
            greatest(s.max_seq, coalesce((select max(seq) from inbox where source = :source), 0)) as max_seq
        from source_state s, merged where s.source = :source
    )
    update source_state s set
        contiguous_seq = r.contiguous_seq,
        log_hash = s.log_hash # r.digest,
        max_seq = r.max_seq,
        stuck_since = case
            when r.contiguous_seq >= greatest(s.head_seq, r.max_seq) then null
            when r.contiguous_seq > s.contiguous_seq then clock_timestamp()
            else coalesce(s.stuck_since, clock_timestamp()) end,
        advanced_at = clock_timestamp()
    from reached r where s.source = :source
    returning s.contiguous_seq, (select count(*) from above)
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
    f"""
    select first, last from (
        select lag(seq, 1, cast(:contiguous as bigint)) over (order by seq) + 1 as first, seq - 1 as last
        from inbox where source = :source and seq > :contiguous and event_id <> '{NO_ID}'
    ) as hole where first <= last order by first limit :ranges
    """
)


def ensure_sources(conn: Connection, sources: Sequence[str]) -> None:
    """Give every source its row."""
    conn.execute(_ENSURE, {"sources": list(sources)})


def state_of(conn: Connection, source: str) -> SourceState:
    row = conn.execute(_READ, {"source": source}).one_or_none()
    if row is None:
        return SourceState(
            source=source,
            contiguous_seq=0,
            pruned_seq=0,
            max_seq=0,
            head_seq=0,
            epoch=None,
            log_hash=0,
            checked_at=None,
            stuck_since=None,
            halted_at=None,
            halted_reason=None,
            halted_detail=None,
        )
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


HEAD_AGE_S_MAX = 30.0
"""Consumers ask for the head every 5 s, readers of feeds for that of a quiet source every 15 s."""

_LEVEL_SINCE = text(
    """
    select checked_at from source_state
    where source = :source and contiguous_seq >= greatest(head_seq, max_seq) and halted_at is null
        and not exists (
            select from parked_events where state = 'parked' and source = :source
            and (type is null or cast(:types as text[]) is null or type = any(:types)))
    """
)


def level_since(conn: Connection, source: str, *, types: Sequence[str] | None = None) -> datetime | None:
    """Until when the head tells all that we are level with (`record_head`); None while anything of `source` may be on
    its way.

    Nothing of the source may be halted, nor parked, of `types` when given.
    """
    asked = {"source": source, "types": None if types is None else list(types)}
    heard: datetime | None = conn.execute(_LEVEL_SINCE, asked).scalar()
    return heard


def covers(level: datetime | None, *, now: datetime, about: UUID | str | None = None) -> bool:
    """Whether a head of then tells everything: asked for within HEAD_AGE_S_MAX, and well after `about` was made.

    What was made a moment ago may be on its way though we are level with a head of before, if its id is one of ours.
    """
    fresh = now - timedelta(seconds=HEAD_AGE_S_MAX)
    made = None if about is None else made_at(about)
    if made is not None and made <= now + CLOCKS_DIFFER_MAX:
        fresh = max(fresh, made + CLOCKS_DIFFER_MAX)
    return level is not None and level >= fresh


def is_caught_up(
    conn: Connection,
    source: str,
    *,
    now: datetime,
    types: Sequence[str] | None = None,
    about: UUID | str | None = None,
) -> bool:
    """Whether everything that `source` had published is applied here: only then is what is not here unknown to it.

    The one meaning of "caught up" in the code (`level_since` that `covers` what is asked for); while it is False, the
    answer to "not found" is a 503.
    """
    return covers(level_since(conn, source, types=types), now=now, about=about)


_RECORD_HEAD = text(
    "update source_state set head_seq = :head, checked_at = :tells_all_until, epoch = coalesce(epoch, :epoch),"
    " log_hash = case when log_hash is null and contiguous_seq = :at then :at_hash else log_hash end"
    " where source = :source"
)


def claim_of(state: SourceState) -> Claim:
    """What we tell the producer that we have."""
    return Claim(
        at=state.contiguous_seq,
        log_hash=state.log_hash,
        epoch=state.epoch,
        seen=max(state.contiguous_seq, state.max_seq),
    )


def record_head(conn: Connection, state: SourceState, head: Head, asked_at: datetime) -> None:
    """Keep a head that does not contradict `state`, which was read before it was asked for at `asked_at`.

    Its number tells of all that was committed until it was asked for, less what the producer has not numbered yet: with
    events that wait it tells of what came before the oldest of them, so a relay that stands lets no refusal come early.
    The age is the producer's to say, so no two clocks are compared.
    A consumer that pruned its inbox before it kept hashes takes the producer's here.
    """
    conn.execute(
        _RECORD_HEAD,
        {
            "source": state.source,
            "head": head.last_seq,
            "tells_all_until": asked_at - timedelta(seconds=head.unsequenced_s),
            "epoch": head.epoch,
            "at": state.contiguous_seq,
            "at_hash": head.at_hash,
        },
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Contradiction:
    """Why what a source's log says now cannot follow what it said before; `detail` is one sentence."""

    reason: HaltReason
    detail: str


def contradiction(
    state: SourceState, *, epoch: int, last_seq: int, at: int, at_hash: int | None, own_hash: int | None
) -> Contradiction | None:
    """Compare what is here with what the producer says: its epoch, its end, its hash up to `at` beside `own_hash`."""
    if state.epoch is not None and epoch != state.epoch:
        return Contradiction(
            reason="unknown_epoch", detail=f"the log is of epoch {epoch}, here it is of epoch {state.epoch}"
        )
    seen = max(state.contiguous_seq, state.max_seq, at)
    if last_seq < seen:
        return Contradiction(
            reason="log_behind", detail=f"the log ends at {last_seq}, here are events up to {seen}"
        )
    if own_hash is not None and own_hash != at_hash:
        return Contradiction(
            reason="other_history", detail=f"the log has other events up to {at} than are here"
        )
    return None


def beat(database: Database, service: str, feed: FeedClient) -> bool:
    """Ask the producer for its head, tell it ours, compare. False, and the source is halted, when they contradict.

    A halted source stays so whatever is heard. Raises FeedUnavailable.
    """
    with database.begin() as conn:
        state = state_of(conn, feed.source)
        asked_at = conn.execute(text("select clock_timestamp()")).scalar_one()
    head = feed.head(claim_of(state))
    if state.halted_at is not None:
        return False
    found = contradiction(
        state,
        epoch=head.epoch,
        last_seq=head.last_seq,
        at=state.contiguous_seq,
        at_hash=head.at_hash,
        own_hash=state.log_hash,
    )
    if found is not None:
        with database.begin() as conn:
            if state_of(conn, feed.source).epoch == state.epoch:  # not accepted meanwhile
                halt(conn, service, feed.source, found.reason, found.detail)
        return False
    with database.begin() as conn:
        record_head(conn, state, head, asked_at)
    return True


def stuck_s(state: SourceState) -> float:
    """For how many seconds the watermark has stood although more is known to exist; 0 while it need not move."""
    if state.stuck_since is None:
        return 0.0
    return max(0.0, (utc_now() - state.stuck_since).total_seconds())
