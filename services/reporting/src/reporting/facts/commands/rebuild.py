"""Build all facts anew from the producers' feeds, compare them with the live ones, swap.

The new tables grow in a schema beside `facts` while the consumer goes on writing the live ones. What is compared
is what both must have: every event up to the number that both have reached, without those that are parked or
discarded by decision. The swap renames two schemas in one short transaction, during which the consumer waits:
the new facts are then exactly those of the events that the live inbox knows.

Differences stop the rebuild unless they are accepted: after a fault in a projection was mended they are the
reason for it. What was frozen at a close is never touched.
Source: architecture decision 5
"""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final

from psycopg import Cursor
from sqlalchemy import make_url

from reporting.facts.queries.differences import differences
from reporting.facts.rules.subscriptions.readers import EventMalformed
from reporting.facts.store import rebuilt
from reporting.facts.store.projections import ensure_partitions, rows_of, write_rows
from shared import postgres, watermark
from shared.client import PAGE_EVENTS_MAX, FeedClient
from shared.clock import month_of
from shared.database import Database
from shared.errors import Conflict
from shared.event_types import UnknownType
from shared.events import Envelope
from shared.service import Service
from shared.wire import Received

TAIL_EVENTS_MAX: Final = 1_000
"""The consumer is only made to wait when no more than that many events are left to fetch per source."""
CATCH_UP_ROUNDS_MAX: Final = 1_000
LIVE_BEHIND_S_MAX: Final = 30.0
POLL_S: Final = 0.2
NEWS_EVERY_S: Final = 1.0

Tell = Callable[[str], None]


class RebuildRunning(Conflict):
    code = "rebuild_running"


class FactsDiffer(Conflict):
    """`differences` names table, source, month, and the number of rows on both sides."""

    code = "facts_differ"


@dataclass(slots=True)
class _Progress:
    """How far one source is. Numbers left out are parked or discarded in the live system, or refused here."""

    through: int = 0
    left_out: set[int] = field(default_factory=set)
    refused: dict[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuilt:
    """What a rebuild did; `refused` events are malformed to this version and waiting in the live system."""

    events: int
    seconds: float
    refused: int
    differences: list[str]
    waited_s: float
    """How long the consumer waited for the swap."""


def rebuild(
    url: str,
    service: Service,
    feeds: Sequence[FeedClient],
    *,
    role: str | None = None,
    accept_differences: bool = False,
    tell: Tell = lambda _: None,
) -> Rebuilt:
    """Rebuild the facts of the database at `url`, which is the owner's, and swap them in; `role` runs the service.

    Raises RebuildRunning, FactsDiffer, FeedUnavailable; the live facts are then as they were.
    """
    with postgres.connect(url) as guard:
        if not rebuilt.is_alone(guard):
            raise RebuildRunning("another rebuild is at work on this database")
        try:
            work = _Rebuild(url, service, feeds, tell, role)
            try:
                return work.run(accept_differences)
            finally:
                work.close()
        finally:
            rebuilt.let_others(guard)


class _Rebuild:
    def __init__(
        self, url: str, service: Service, feeds: Sequence[FeedClient], tell: Tell, role: str | None
    ) -> None:
        self._url = url
        # An owner that runs the service itself would be taken its own rights.
        self._role = None if role == make_url(url).username else role
        self._service = service
        self._feeds = {feed.source: feed for feed in feeds}
        self._tell = tell
        self._database = Database(url, pool_size=2)
        self._conn = postgres.connect(url, options=f"-c {postgres.WRITER}=rebuild")
        self._schema = ""
        self._progress = {source: _Progress() for source in service.sources}
        self._told_at = 0.0
        missing = [source for source in service.sources if source not in self._feeds]
        assert not missing, f"no feed address is set for {', '.join(missing)}"

    def run(self, accept_differences: bool) -> Rebuilt:
        started = time.monotonic()
        self._prepare()
        self._replay()
        seconds = time.monotonic() - started
        events = sum(each.through for each in self._progress.values())
        self._tell(f"{events:,} events in {seconds:.1f} s ({events / max(seconds, 0.001):,.0f}/s); comparing")
        self._wait_for_live()
        with self._conn.transaction():
            self._align(self._conn.cursor())
        found = self._differences()
        if found and not accept_differences:
            raise FactsDiffer(
                f"the rebuilt facts differ from the live ones in {len(found)} places",
                differences=found,
            )
        waited_s = self._swap()
        self._tell(f"swapped; the consumer waited {waited_s * 1000:.0f} ms")
        return Rebuilt(
            events=events,
            seconds=seconds,
            refused=sum(len(each.refused) for each in self._progress.values()),
            differences=found,
            waited_s=waited_s,
        )

    def close(self) -> None:
        """Drop what was not swapped in, and let go of every connection."""
        rebuilt.drop_leftovers(self._conn.cursor())
        self._conn.close()
        self._database.dispose()

    # --- filling ---------------------------------------------------------------------------------------

    def _prepare(self) -> None:
        rebuilt.drop_leftovers(self._conn.cursor())
        number = time.strftime("%Y%m%d%H%M%S", time.gmtime())
        self._schema = f"{rebuilt.PREFIX}{number}"
        rebuilt.make_schema(self._url, self._schema)
        cursor = self._conn.cursor()
        with self._conn.transaction():
            ensure_partitions(cursor, self._schema, rebuilt.live_months(cursor))

    def _replay(self) -> None:
        """Each source in a thread of its own, up to the head it has now."""
        heads = {source: feed.head().last_seq for source, feed in self._feeds.items()}
        stop = threading.Event()
        with ThreadPoolExecutor(len(heads)) as pool:
            runs = [pool.submit(self._replay_source, source, head, stop) for source, head in heads.items()]
            try:
                while not all(run.done() for run in runs):
                    self._news(heads)
                    stop.wait(POLL_S)
                    if any(run.done() and run.exception() for run in runs):
                        break
            finally:
                stop.set()
            for run in runs:
                run.result()
        self._news(heads, always=True)

    def _replay_source(self, source: str, head: int, stop: threading.Event) -> None:
        with postgres.connect(self._url) as conn, ThreadPoolExecutor(1) as ahead:
            rebuilt.write_unhurried(conn)
            feed, progress = self._feeds[source], self._progress[source]
            coming = ahead.submit(feed.events, after=0, limit=PAGE_EVENTS_MAX) if head else None
            while coming is not None and not stop.is_set():
                page = coming.result()
                after = progress.through + len(page)
                coming = self._next_page(ahead, feed, after) if page and after < head else None
                with conn.transaction():
                    self._store(conn.cursor(), source, page)

    @staticmethod
    def _next_page(ahead: ThreadPoolExecutor, feed: FeedClient, after: int) -> "Future[list[Received]]":
        """The next page is fetched while this one is written."""
        return ahead.submit(feed.events, after=after, limit=PAGE_EVENTS_MAX)

    def _store(self, cursor: Cursor[Any], source: str, page: Sequence[Received]) -> None:
        """Write the facts of a page, without what waits for a decision in the live system."""
        if not page:
            return
        progress = self._progress[source]
        assert page[0].seq is not None
        waiting = rebuilt.waiting(cursor, source, page[0].seq, page[0].seq + len(page) - 1)
        wanted = [each for each in page if isinstance(each, Envelope) and each.seq not in waiting]
        progress.left_out |= waiting
        self._write(cursor, source, wanted)
        progress.through += len(page)

    def _write(self, cursor: Cursor[Any], source: str, events: Sequence[Envelope]) -> None:
        try:
            rows = rows_of(events)
        except (EventMalformed, UnknownType):
            events = [each for each in events if self._is_readable(source, each)]
            rows = rows_of(events)
        ensure_partitions(cursor, self._schema, sorted({month_of(each.day) for each in events}))
        write_rows(cursor, self._schema, rows)

    def _is_readable(self, source: str, event: Envelope) -> bool:
        try:
            rows_of([event])
        except (EventMalformed, UnknownType) as refusal:
            self._progress[source].refused[event.seq] = refusal.detail
            return False
        return True

    def _news(self, heads: dict[str, int], *, always: bool = False) -> None:
        if always or time.monotonic() - self._told_at >= NEWS_EVERY_S:
            self._told_at = time.monotonic()
            self._tell(
                ", ".join(
                    f"{source} {self._progress[source].through:,}/{head:,}" for source, head in heads.items()
                )
            )

    # --- comparing ---------------------------------------------------------------------------------------

    def _wait_for_live(self) -> None:
        """Until the live facts have reached what was rebuilt, with a bound: a stopped consumer is no obstacle."""
        deadline = time.monotonic() + LIVE_BEHIND_S_MAX
        pause = threading.Event()
        while time.monotonic() < deadline:
            watermark.advance_all(self._database, self._service)
            if all(
                rebuilt.live_numbers(self._conn, source)[0] >= self._progress[source].through
                for source in self._feeds
            ):
                return
            pause.wait(POLL_S)
        self._tell("the consumer is behind; what both have is compared")

    def _align(self, cursor: Cursor[Any]) -> None:
        """Follow decisions taken meanwhile: what was re-driven is added, what was parked is taken out."""
        for source, progress in self._progress.items():
            waiting = rebuilt.waiting(cursor, source, 1, progress.through)
            for seq in sorted(progress.left_out - waiting):
                event = self._feeds[source].one(seq)
                if isinstance(event, Envelope):
                    self._write(cursor, source, [event])
            gone = sorted(waiting - progress.left_out)
            rebuilt.remove(cursor, self._schema, source, gone)
            progress.left_out = waiting

    def _differences(self) -> list[str]:
        """Where both sides differ, up to the numbers both have."""
        through = {
            source: min(rebuilt.live_numbers(self._conn, source)[0], progress.through)
            for source, progress in self._progress.items()
        }
        return differences(self._url, through, self._schema)

    # --- swapping ----------------------------------------------------------------------------------------

    def _swap(self) -> float:
        """Fetch the tail, shut the consumer out, fetch the last of it, rename. Returns the seconds it waited."""
        for _ in range(CATCH_UP_ROUNDS_MAX):
            behind = {
                source: rebuilt.live_numbers(self._conn, source)[1] - self._progress[source].through
                for source in self._feeds
            }
            if max(behind.values()) <= TAIL_EVENTS_MAX:
                break
            with self._conn.transaction():
                self._catch_up(self._conn.cursor())
        cursor = self._conn.cursor()
        with self._conn.transaction():
            rebuilt.keep_consumer_out(cursor)
            locked_at = time.monotonic()
            self._catch_up(cursor)
            self._align(cursor)
            for source, progress in self._progress.items():
                rebuilt.remove_unseen(cursor, self._schema, source, progress.through)
            ensure_partitions(cursor, self._schema, rebuilt.live_months(cursor))
            rebuilt.swap(cursor, self._schema, self._service, self._role)
        waited_s = time.monotonic() - locked_at
        with self._conn.transaction():
            rebuilt.adopt(self._conn.cursor())
        return waited_s

    def _catch_up(self, cursor: Cursor[Any]) -> None:
        """Everything up to the highest number that the live facts know, in the caller's transaction."""
        for source, feed in self._feeds.items():
            _, seen = rebuilt.live_numbers(self._conn, source)
            progress = self._progress[source]
            while progress.through < seen:
                limit = min(PAGE_EVENTS_MAX, seen - progress.through)
                page = feed.events(after=progress.through, limit=limit)
                if not page:
                    break
                self._store(cursor, source, page)
