"""Consume without a broker: poll every producer's feed and apply page by page.

Each source has its own cursor and rhythm: at once again after events and when its producer rings (shared.bells),
else after 20 ms doubling to a second, or to 15 s where there are bells. The cursor lives in memory and starts at the watermark; what is read twice is known to the inbox. A producer that is away
holds up nobody else.

Each page says which log it is of and the hash of that log up to where the page begins. It is compared with what
was read before anything of the page is applied; a source that contradicts is halted (shared.halting).
"""

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path

import structlog

from shared import watermark
from shared.bells import Bell
from shared.client import FeedClient, FeedUnavailable, Page
from shared.consumer import BatchResult, apply_batch
from shared.database import Database
from shared.halting import halt
from shared.incarnation import digest
from shared.leadership import Leadership
from shared.service import Service
from shared.sqlstates import is_transient
from shared.watermark import SourceState
from shared.wire import Received

PAGE_EVENTS = 1_000
FIRST_POLL_S = 0.02
LONGEST_POLL_S = 1.0
LONGEST_POLL_WITH_BELL_S = 15.0
LOOK_UP_S = 1.0
AWAY_POLL_S = 2.0
HALTED_POLL_S = 1.0
STANDBY_POLL_S = 1.0

log = structlog.get_logger(__name__)

Applied = Callable[[BatchResult], None]


class _Feed:
    """Where one source's reading stands and when it is read next."""

    def __init__(self, client: FeedClient, longest_poll_s: float) -> None:
        self.client = client
        self.state: SourceState | None = None
        self.after = 0
        self.log_hash: int | None = None
        self._longest_poll_s = longest_poll_s
        self.due = 0.0
        self._pause_s = FIRST_POLL_S

    def stand(self, state: SourceState) -> None:
        """Read on from the watermark."""
        self.state = state
        self.after = state.contiguous_seq
        self.log_hash = state.log_hash

    def found(self, page: Sequence[Received]) -> None:
        self.after += len(page)
        for each in page:
            if self.log_hash is None or each.event_id is None or each.seq is None:
                self.log_hash = None
                break
            self.log_hash ^= digest(each.seq, each.event_id)
        self._pause_s = FIRST_POLL_S
        self.due = 0.0

    def nothing(self) -> None:
        self.due = time.monotonic() + self._pause_s
        self._pause_s = min(self._pause_s * 2, self._longest_poll_s)

    def rung(self) -> None:
        self._pause_s = FIRST_POLL_S
        self.due = 0.0

    def halted(self) -> None:
        self.due = time.monotonic() + HALTED_POLL_S

    def away(self) -> None:
        self.due = time.monotonic() + AWAY_POLL_S


def consume(
    database: Database,
    service: Service,
    feeds: Sequence[FeedClient],
    applied: Applied,
    stop: threading.Event,
    bells: Path | None = None,
) -> None:
    """Apply the feeds of every source until `stop`. One active reader per service, a standby behind it."""
    with Leadership(database.url, f"feed:{service.name}") as leadership:
        while not stop.is_set():
            if not leadership.held():
                stop.wait(STANDBY_POLL_S)
                continue
            try:
                with Bell(bells, service.name) if bells is not None else nullcontext() as bell:
                    longest_poll_s = LONGEST_POLL_S if bell is None else LONGEST_POLL_WITH_BELL_S
                    read = partial(_read, database, service, applied)
                    _lead([_Feed(each, longest_poll_s) for each in feeds], read, bell, leadership, stop)
            except Exception as error:
                if not is_transient(error):
                    raise
                log.warning("reading_interrupted", service=service.name, error=type(error).__name__)
                stop.wait(STANDBY_POLL_S)


def _lead(
    feeds: Sequence[_Feed],
    read: Callable[[_Feed], None],
    bell: Bell | None,
    leadership: Leadership,
    stop: threading.Event,
) -> None:
    while not stop.is_set() and leadership.held():
        for feed in feeds:
            if feed.due <= time.monotonic() and not stop.is_set():
                read(feed)
        _rest(feeds, bell, stop)


def _rest(feeds: Sequence[_Feed], bell: Bell | None, stop: threading.Event) -> None:
    """Wait until a feed is due or its producer rings, for LOOK_UP_S at most."""
    wait_s = min(LOOK_UP_S, max(0.0, min(feed.due for feed in feeds) - time.monotonic()))
    if bell is None:
        stop.wait(wait_s)
        return
    rang = bell.wait(wait_s)
    for feed in feeds:
        if feed.client.source in rang:
            feed.rung()


def _read(database: Database, service: Service, applied: Applied, feed: _Feed) -> None:
    if feed.state is None or feed.state.halted_at is not None:
        with database.begin() as conn:
            feed.stand(watermark.state_of(conn, feed.client.source))
    if feed.state is None or feed.state.halted_at is not None:
        feed.halted()
        return
    try:
        page = feed.client.page(after=feed.after, limit=PAGE_EVENTS)
    except FeedUnavailable as error:
        log.warning("feed_unavailable", service=service.name, source=feed.client.source, detail=error.detail)
        feed.away()
        return
    if _contradicts(database, service, feed, feed.state, page):
        return
    if not page.events:
        feed.nothing()
        return
    result = apply_batch(database, service, page.events)
    applied(result)
    if result.withheld:
        feed.state = None
        return
    if feed.state.epoch is None:
        feed.state = replace(feed.state, epoch=page.epoch)
    feed.found(page.events)


def _contradicts(database: Database, service: Service, feed: _Feed, state: SourceState, page: Page) -> bool:
    """Whether the page is of another log than what was read before it. It is asked of the newest state only."""
    found = watermark.contradiction(
        state,
        epoch=page.epoch,
        last_seq=page.last_seq,
        at=feed.after,
        at_hash=page.log_hash,
        own_hash=feed.log_hash,
    )
    if found is None:
        return False
    feed.state = None
    with database.begin() as conn:
        newest = watermark.state_of(conn, feed.client.source)
        if newest.epoch == state.epoch or newest.epoch is None:
            halt(conn, service.name, feed.client.source, found.reason, found.detail)
    return True
