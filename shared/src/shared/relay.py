"""The relay process: number what was committed, then publish it. One active relay per service, one standby.

With the `feed` transport there is no broker and the relay only numbers; consumers fetch from the feed.
Nothing here may lose an event: numbering is by flag (sequencer), publishing by a cursor on those numbers
(amqp_publish), and a relay killed at any instant leaves at most one window to be published twice.
"""

import select
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import sqlalchemy
import structlog
from sqlalchemy import text

from shared import bells, incarnation, postgres
from shared import messaging_metrics as metrics
from shared.amqp_publish import AmqpPublisher
from shared.backoff import Backoff
from shared.database import Database
from shared.incarnation import Standing
from shared.leadership import Leadership
from shared.sequencer import BACKLOG_ROWS, BATCH_ROWS, number_events
from shared.service import Service
from shared.settings import Settings
from shared.wakeup import CHANNEL

POLL_S = 0.2
REST_POLL_S = 1.0
"""Without a ring the relay looks for itself, at first after POLL_S, when nothing happens after REST_POLL_S."""
TURN_MIN_S = 0.005
"""Under load turns are at least so far apart: each costs a commit, and a fuller turn costs hardly more."""
STANDBY_POLL_S = 1.0
JOIN_S = 8.0
MEASURE_EVERY_S = 5.0

log = structlog.get_logger(__name__)

_WAITING = "select exists (select from outbox where seq is null)"
_BACKLOG = text(
    """
    select h.last_seq - coalesce(c.confirmed_seq, 0),
        coalesce(extract(epoch from clock_timestamp() - (
            select recorded_at from outbox where seq > coalesce(c.confirmed_seq, 0) order by seq limit 1)), 0)
    from outbox_head h left join relay_cursor c on c.partition = 0
    """
)


def run(service: Service, settings: Settings, stop: threading.Event) -> None:
    """Relay until `stop` is set; returns within 10 s of it. Survives every fault of database and broker."""
    database = Database(settings.database_url, pool_size=2)
    backoff = Backoff(stop)
    with Leadership(settings.database_url, f"relay:{service.name}") as leadership:
        while not stop.is_set():
            if not leadership.held():
                stop.wait(STANDBY_POLL_S)
                continue
            try:
                metrics.LEADER.labels(service.name).set(1)
                _lead(service, settings, database, leadership.held, stop)
                backoff.reset()
            except (psycopg.Error, sqlalchemy.exc.SQLAlchemyError) as error:
                log.warning("numbering_interrupted", service=service.name, error=repr(error))
                database.dispose()
                backoff.wait()
            finally:
                metrics.LEADER.labels(service.name).set(0)
    database.dispose()


def _lead(
    service: Service, settings: Settings, database: Database, held: Callable[[], bool], stop: threading.Event
) -> None:
    if settings.transport == "feed":
        _number(service, settings, database, held, stop, _bell_ringer(service, settings))
        return
    assert settings.amqp_url is not None
    publisher = AmqpPublisher(service.name, settings.database_url, settings.amqp_url)
    resign = threading.Event()
    thread = threading.Thread(
        target=publisher.run, args=(resign,), name=f"publish-{service.name}", daemon=True
    )
    thread.start()
    try:
        _number(service, settings, database, held, stop, publisher.wake)
    finally:
        resign.set()
        publisher.wake()
        thread.join(JOIN_S)


def _bell_ringer(service: Service, settings: Settings) -> Callable[[], None]:
    folder = Path(settings.bells) if settings.bells else None

    def ring() -> None:
        if folder is not None:
            bells.ring(folder, service.name)

    ring()  # the relay before this one may have been killed between its commit and its ring
    return ring


def _number(
    service: Service,
    settings: Settings,
    database: Database,
    held: Callable[[], bool],
    stop: threading.Event,
    numbered: Callable[[], None],
) -> None:
    """Number rows as they come while this process leads. Raises database faults."""
    limit = BATCH_ROWS
    looked_at = 0.0
    epoch: int | None = None
    poll_s = POLL_S
    has_work = True
    with postgres.connect(settings.database_url) as bell:
        bell.execute(f"listen {CHANNEL}")
        while not stop.is_set() and held():
            started = time.monotonic()
            count = 0
            if has_work:
                with database.begin() as conn:
                    count = number_events(conn, limit)
            if count:
                metrics.SEQUENCED.labels(service.name).inc(count)
                numbered()
            if started - looked_at > MEASURE_EVERY_S:
                looked_at = started
                standing = _look(service, settings, database)
                if epoch not in {None, standing.epoch}:
                    return  # the publisher reads its cursor anew
                epoch = standing.epoch
            if count == limit:
                limit = BACKLOG_ROWS
                continue
            limit = BATCH_ROWS
            stop.wait(max(0.0, started + TURN_MIN_S - time.monotonic()))
            poll_s = POLL_S if count else min(poll_s * 2, REST_POLL_S)
            has_work = _await_work(bell, poll_s)


def _await_work(bell: psycopg.Connection[Any], poll_s: float) -> bool:
    """Return True when the bell rang, else after `poll_s` whether rows wait all the same."""
    if _rang(bell):
        return True
    # psycopg's own waiting wakes up ten times a second.
    if select.select([bell.fileno()], [], [], poll_s)[0]:
        return _rang(bell)
    return bell.execute(_WAITING).fetchone() == (True,)


def _rang(bell: psycopg.Connection[Any]) -> bool:
    return bool(list(bell.notifies(timeout=0)))


def _look(service: Service, settings: Settings, database: Database) -> Standing:
    """Show how the log stands; what holds it is said as often as it is looked at."""
    with database.begin() as conn:
        standing = incarnation.standing(conn)
    metrics.LOG_HELD.labels(service.name).set(standing.fault is not None)
    if standing.fault is not None:
        log.error("log_held", service=service.name, reason=standing.fault, last_seq=standing.last_seq)
    if settings.transport == "amqp":
        _measure(service, database)
    return standing


def _measure(service: Service, database: Database) -> None:
    with database.begin() as conn:
        row = conn.execute(_BACKLOG).one_or_none()
    if row is not None:
        metrics.OUTBOX_UNCONFIRMED.labels(service.name).set(row[0])
        metrics.OUTBOX_OLDEST_S.labels(service.name).set(float(row[1]))
