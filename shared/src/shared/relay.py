"""The relay process: number what was committed, then publish it. One active relay per service, one standby.

With the `feed` transport there is no broker and the relay only numbers; consumers fetch from the feed.
Nothing here may lose an event: numbering is by flag (sequencer), publishing by a cursor on those numbers
(amqp_publish), and a relay killed at any instant leaves at most one window to be published twice.
"""

import threading
import time
from collections.abc import Callable
from typing import Any

import psycopg
import sqlalchemy
import structlog
from sqlalchemy import text

from shared import messaging_metrics as metrics
from shared.amqp_publish import AmqpPublisher
from shared.backoff import Backoff
from shared.database import Database
from shared.leadership import Leadership, plain_url
from shared.sequencer import BACKLOG_ROWS, BATCH_ROWS, number_events
from shared.service import Service
from shared.settings import Settings
from shared.wakeup import CHANNEL

POLL_S = 0.2
TURN_MIN_S = 0.005
"""Under load turns are at least so far apart: each costs a commit, and a fuller turn costs hardly more."""
STANDBY_POLL_S = 1.0
JOIN_S = 8.0
MEASURE_EVERY_S = 5.0

log = structlog.get_logger(__name__)

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
        _number(service, settings, database, held, stop, lambda: None)
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
    measured_at = 0.0
    with psycopg.connect(plain_url(settings.database_url), autocommit=True, connect_timeout=5) as bell:
        bell.execute(f"listen {CHANNEL}")
        while not stop.is_set() and held():
            started = time.monotonic()
            with database.begin() as conn:
                count = number_events(conn, limit)
            if count:
                metrics.SEQUENCED.labels(service.name).inc(count)
                numbered()
            if started - measured_at > MEASURE_EVERY_S and settings.transport == "amqp":
                measured_at = started
                _measure(service, database)
            if count == limit:
                limit = BACKLOG_ROWS
                continue
            limit = BATCH_ROWS
            stop.wait(max(0.0, started + TURN_MIN_S - time.monotonic()))
            _await_bell(bell)


def _await_bell(bell: psycopg.Connection[Any]) -> None:
    """Return when the bell rang, after POLL_S at the latest."""
    for _ in bell.notifies(timeout=POLL_S, stop_after=1):
        return


def _measure(service: Service, database: Database) -> None:
    with database.begin() as conn:
        row = conn.execute(_BACKLOG).one_or_none()
    if row is not None:
        metrics.OUTBOX_UNCONFIRMED.labels(service.name).set(row[0])
        metrics.OUTBOX_OLDEST_S.labels(service.name).set(float(row[1]))
