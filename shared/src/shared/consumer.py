"""Apply a batch of events exactly once in effect: inbox rows, the handler's changes and parking, one transaction.

Promises: an event already in the inbox changes nothing; any order and any duplicates give the same inbox; a
handler that refuses one event does not hold back the others (the batch is replayed event by event under
savepoints, each up to TRIES_MAX times in all, and the culprit is parked with its reason); a fault of the system or
of the database's state (shared.sqlstates) is raised for the caller to retry, never parked. The caller acknowledges
only after `apply_batch` returned.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import Connection

from shared import messaging_metrics as metrics
from shared import parking
from shared.clock import utc_now
from shared.database import Database
from shared.events import Envelope
from shared.halting import NO_ID, Contradicted, halt, sort_out
from shared.identity import system_actor
from shared.service import Handler, Service
from shared.sqlstates import Fault, fault_of, is_stale, is_transient, sqlstate_of
from shared.transaction import Tx, nothing
from shared.wire import Received

log = structlog.get_logger(__name__)

SetReaction = Callable[[Tx, Sequence[Envelope]], None]
"""Gets all events of a batch that it is there for, at least one, in any order."""

# Rows are inserted in key order, so that competing consumers that hold the same messages wait for one another
# in the same order. What was pruned from the inbox is below pruned_seq and therefore known (watermark.py).
# Only what is of the epoch known here is taken; what is not taken is sorted out afterwards (halting.py). A message
# too damaged to tell its epoch has no id either: its number is held for the producer's copy.
_INSERT_INBOX = """
    insert into inbox (source, seq, event_id)
    select u.source, u.seq, u.event_id
    from unnest(%s::text[], %s::bigint[], %s::uuid[], %s::bigint[]) as u(source, seq, event_id, epoch)
    join source_state s on s.source = u.source
    where u.seq > s.pruned_seq and s.epoch = coalesce(u.epoch, s.epoch) and s.halted_at is null
    order by u.source, u.seq
    on conflict do nothing
    returning source, seq
"""
TRIES_MAX = 3
"""In all, the one with its batch included: a refusal of the database may be a passing one, a domain's is not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchResult:
    """Counts of messages: `fresh` were applied now, `duplicates` known before, `parked` refused.

    `withheld` are of a source that is halted, or of an incarnation of its log that was given up.
    """

    fresh: int
    duplicates: int
    parked: int
    withheld: int = 0
    has_events: bool = False
    """Whether reactions wrote events of their own: the caller wakes the relay."""


def in_sets(reactions: Mapping[str, SetReaction]) -> Handler:
    """A handler from a table `type → reaction` that gives each reaction all its events of the batch at once.

    Types that name the same reaction are given to it together; reactions run in the order of the table. Types of no
    interest are passed over.
    """
    order = list(dict.fromkeys(reactions.values()))

    def handle(tx: Tx, envelopes: Sequence[Envelope]) -> None:
        told: dict[SetReaction, list[Envelope]] = {}
        for envelope in envelopes:
            reaction = reactions.get(envelope.type)
            if reaction is not None:
                told.setdefault(reaction, []).append(envelope)
        for reaction in order:
            if reaction in told:
                reaction(tx, told[reaction])

    return handle


def apply_batch(
    database: Database,
    service: Service,
    received: Sequence[Received],
    *,
    meanwhile: Callable[[], None] = nothing,
) -> BatchResult:
    """Apply `received` in one transaction and return what happened. Raises what is transient: apply it again.

    `meanwhile` is called, once or more, when the database has the longest of its work before it.
    """
    started = time.monotonic()

    def at_once(conn: Connection, service: Service, tx: Tx, fresh: Sequence[Envelope]) -> int:
        assert service.handle is not None
        tx.meanwhile = meanwhile
        service.handle(tx, fresh)
        meanwhile()
        return 0

    try:
        result = _settle(database, service, received, at_once)
    except Exception as error:
        if _must_wait(database, service, error):
            raise
        log.warning("batch_replayed", service=service.name, size=len(received), error=type(error).__name__)
        try:
            result = _settle(database, service, received, _each_alone)
        except Exception as again:
            _must_wait(database, service, again)
            raise
    metrics.WAITING.labels(service.name).set(0)
    _observe(service.name, received, result, time.monotonic() - started)
    return result


def _must_wait(database: Database, service: Service, error: Exception) -> bool:
    """Whether the same batch may be applied later as it is; shows that something waits for it."""
    if is_stale(error):
        database.dispose()
    fault = fault_of(error)
    if fault is Fault.WORK:
        return False
    metrics.WAITING.labels(service.name).set(1)
    if fault is Fault.DATABASE:
        # Waiting alone does not end this: a migration, a grant or a failover is somebody's to finish.
        log.error("database_state_stops_events", service=service.name, sqlstate=sqlstate_of(error))
    return True


def park_batch(
    database: Database, service: Service, received: Sequence[Received], *, reason: str
) -> BatchResult:
    """Park every message not seen before, untried: for events that kill the process that applies them."""

    def park_all(conn: Connection, service: Service, tx: Tx, fresh: Sequence[Envelope]) -> int:
        for envelope in fresh:
            parking.park(conn, envelope, "untried", reason)
        return len(fresh)

    return _settle(database, service, received, park_all)


_Way = Callable[[Connection, Service, Tx, Sequence[Envelope]], int]


def _settle(database: Database, service: Service, received: Sequence[Received], way: _Way) -> BatchResult:
    """One transaction; a source that contradicts itself is halted and the rest tried again, once per source."""
    while True:
        try:
            with database.begin() as conn:
                return _apply(conn, service, received, way)
        except Contradicted as found:
            with database.begin() as conn:
                halt(conn, service.name, found.source, found.reason, found.detail)


def _apply(conn: Connection, service: Service, received: Sequence[Received], way: _Way) -> BatchResult:
    numbered: dict[tuple[str, int], Received] = {}
    repeated: list[Received] = []
    strangers: list[Received] = []
    for each in received:
        if each.source in service.sources and each.seq is not None:
            assert each.source is not None
            if numbered.setdefault((each.source, each.seq), each) is not each:
                repeated.append(each)
        else:
            strangers.append(each)
    taken, withheld = _take(conn, numbered)
    if repeated:
        withheld += sort_out(conn, repeated)[0]
    fresh = [numbered[key] for key in taken]
    parked = 0
    envelopes: list[Envelope] = []
    for each in [*strangers, *fresh]:
        refusal = parking.refusal_of(service, each)
        if refusal is not None:
            _park(conn, service, each, *refusal)
            parked += 1
        else:
            assert isinstance(each, Envelope)
            envelopes.append(each)
    tx = Tx(conn=conn, actor=system_actor(service.name), now=utc_now())
    if envelopes:
        parked += way(conn, service, tx, envelopes)
    return BatchResult(
        fresh=len(fresh) + len(strangers) - parked,
        duplicates=len(received) - len(fresh) - len(strangers) - withheld,
        parked=parked,
        withheld=withheld,
        has_events=tx.has_events,
    )


def _take(
    conn: Connection, numbered: Mapping[tuple[str, int], Received]
) -> tuple[list[tuple[str, int]], int]:
    """The keys not seen before, in key order, and how many messages were withheld. Raises Contradicted."""
    taken = _insert_inbox(conn, numbered)
    if len(taken) == len(numbered):
        return taken, 0
    known = set(taken)
    left = {key: each for key, each in numbered.items() if key not in known}
    withheld, is_first = sort_out(conn, list(left.values()))
    if is_first:
        more, withheld = _take(conn, left)
        taken = sorted([*taken, *more])
    return taken, withheld


def _insert_inbox(conn: Connection, numbered: Mapping[tuple[str, int], Received]) -> list[tuple[str, int]]:
    """The keys that the inbox took, in key order."""
    if not numbered:
        return []
    cursor = _driver(conn).cursor()
    cursor.execute(
        _INSERT_INBOX,
        (
            _array(source for source, _ in numbered),
            _array(seq for _, seq in numbered),
            _array(each.event_id or NO_ID for each in numbered.values()),
            _array("null" if each.epoch is None else each.epoch for each in numbered.values()),
        ),
    )
    return sorted(cursor.fetchall())


def _array(values: Iterable[object]) -> str:
    """An array as PostgreSQL writes it, of names, numbers and ids, which need no quotes: the driver asks each element."""
    return "{" + ",".join(map(str, values)) + "}"


def _each_alone(conn: Connection, service: Service, tx: Tx, fresh: Sequence[Envelope]) -> int:
    parked = 0
    for envelope in fresh:
        error = _try_alone(conn, service, tx, envelope)
        if error is not None:
            _park(conn, service, envelope, *parking.reason_of(error))
            parked += 1
    return parked


def _park(conn: Connection, service: Service, received: Received, code: str, reason: str) -> None:
    parking.park(conn, received, code, reason)
    metrics.PARKED.labels(service.name, code).inc()
    log.warning(
        "event_parked",
        service=service.name,
        source=received.source,
        seq=received.seq,
        type=received.type,
        code=code,
    )


def _try_alone(conn: Connection, service: Service, tx: Tx, envelope: Envelope) -> Exception | None:
    """None when the event is applied, else the last refusal. Raises what is transient."""
    refusal: Exception | None = None
    for _ in range(TRIES_MAX - 1):
        try:
            parking.apply_alone(conn, service, tx, envelope)
        except Exception as error:
            if is_transient(error):
                raise
            refusal = error
            if sqlstate_of(error) is None:
                break
        else:
            return None
    return refusal


def _driver(conn: Connection) -> Any:
    return conn.connection.driver_connection


def _observe(service: str, received: Sequence[Received], result: BatchResult, took_s: float) -> None:
    metrics.BATCH_EVENTS.labels(service).observe(len(received))
    metrics.BATCH_S.labels(service).observe(took_s)
    if result.duplicates:
        metrics.DUPLICATES.labels(service).inc(result.duplicates)
    oldest: dict[str, Envelope] = {}
    for each in received:
        if isinstance(each, Envelope):
            seen = oldest.get(each.source)
            if seen is None or each.occurred_at < seen.occurred_at:
                oldest[each.source] = each
    now = utc_now()
    for source, envelope in oldest.items():
        metrics.LAG_S.labels(service, source).observe(max(0.0, (now - envelope.occurred_at).total_seconds()))
