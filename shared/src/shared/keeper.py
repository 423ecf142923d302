"""The consumer's housekeeper: head beats, watermarks, gaps, pruning, and what is shown of them.

One per service is active. It halts a source whose log contradicts what was received (shared.halting) and says so,
and says when a watermark has stood for too long although there is more.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from shared import messaging_metrics as metrics
from shared.client import FeedClient, FeedUnavailable
from shared.database import Database
from shared.pruning import MARGIN_S, PRUNE_ROWS, delete_pruned, raise_pruned
from shared.service import Service
from shared.watermark import (
    QUIET_AFTER_S,
    SourceState,
    advance_all,
    beat,
    is_any_unsettled,
    repair,
    state_of,
    stuck_s,
)

SAY_EVERY_S = 60.0

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Sight:
    """What the keeper saw of a source, and since when nothing moved."""

    contiguous: int = -1
    contiguous_since: float = 0.0
    max_seq: int = -1
    max_since: float = 0.0
    pruned: int | None = None
    pruned_at: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How long the keeper waits for what, in seconds.

    A gap is open when the watermark has not moved for `gap_s` although later events are here; the tail is lost when the
    producer's head has been ahead for `tail_s` and nothing new arrives. A producer's head is asked for every
    `head_every_s`, and every `quiet_head_every_s` where nothing came for QUIET_AFTER_S. A watermark that has not been
    confirmed for `age_s_max` is complained of.
    """

    gap_s: float = 5.0
    tail_s: float = 10.0
    head_every_s: float = 5.0
    quiet_head_every_s: float = 5.0
    margin_s: float = MARGIN_S
    age_s_max: float = 300.0


class Keeper:
    """Advances watermarks, finds and repairs gaps, prunes. One active keeper per service.

    Call `turn` twice a second while it says that something is unsettled, else at least every `head_every_s` of its pace.
    """

    def __init__(
        self,
        database: Database,
        service: Service,
        feeds: Sequence[FeedClient],
        pace: Pace = Pace(),
    ) -> None:
        self._database = database
        self._service = service
        self._feeds = {feed.source: feed for feed in feeds}
        self._pace = pace
        self._said_at: dict[str, float] = {}
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
                self._away_until[source] = time.monotonic() + self._pace.head_every_s
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
        every_s = (
            max(self._pace.head_every_s, self._pace.quiet_head_every_s)
            if is_quiet
            else self._pace.head_every_s
        )
        return now - self._head_at.get(source, -every_s) >= every_s

    def _is_prune_due(self, sight: _Sight, now: float) -> bool:
        return sight.pruned is None or now - sight.pruned_at >= self._pace.margin_s

    def _look(self, source: str, now: float) -> None:
        feed = self._feeds.get(source)
        if feed is not None and self._is_head_due(source, now):
            self._head_at[source] = now
            beat(self._database, self._service.name, feed)
        state = self._state(source)
        sight = self._seen[source]
        if state.contiguous_seq != sight.contiguous:
            sight.contiguous, sight.contiguous_since = state.contiguous_seq, now
        if state.max_seq != sight.max_seq:
            sight.max_seq, sight.max_since = state.max_seq, now
        self._prune(source, sight, now)
        through = state.max_seq if now - sight.contiguous_since > self._pace.gap_s else 0
        self._show(state)
        if feed is None or now < self._away_until.get(source, 0.0) or state.halted_at is not None:
            return
        if state.head_seq > state.max_seq and now - sight.max_since > self._pace.tail_s:
            through = state.head_seq
        if through > state.contiguous_seq:
            repair(self._database, self._service, feed, through=through)

    def _state(self, source: str) -> SourceState:
        with self._database.begin() as conn:
            return state_of(conn, source)

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
        metrics.HALTED.labels(name, state.source).set(state.halted_at is not None)
        age_s = stuck_s(state)
        metrics.WATERMARK_AGE_S.labels(name, state.source).set(age_s)
        now = time.monotonic()
        if now < self._said_at.get(state.source, -SAY_EVERY_S) + SAY_EVERY_S:
            return
        if state.halted_at is not None:
            self._said_at[state.source] = now
            log.error(
                "source_halted",
                service=name,
                source=state.source,
                reason=state.halted_reason,
                detail=state.halted_detail,
            )
        elif age_s > self._pace.age_s_max:
            self._said_at[state.source] = now
            log.error(
                "watermark_stuck",
                service=name,
                source=state.source,
                at=state.contiguous_seq,
                age_s=round(age_s),
            )
