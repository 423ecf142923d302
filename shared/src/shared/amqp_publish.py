"""Publish numbered events in order with pipelined confirms; the cursor never passes an unconfirmed event.

One thread, one connection, at most WINDOW publications beyond the saved cursor. Any doubt (a nack, a return, no confirm
within CONFIRM_S, any exception) ends the connection, because a py-amqp channel cannot be trusted after an
error; the next connection starts at the saved cursor, so at most one window is published twice.
"""

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from contextlib import suppress
from struct import pack
from typing import Any

import psycopg
import structlog
from amqp import Channel, Message
from amqp.exceptions import AMQPError
from kombu.connection import Connection

from shared import messaging_metrics as metrics
from shared import postgres, topology
from shared.backoff import Backoff
from shared.events import routing_key
from shared.wire import amqp_headers

WINDOW = 500
READ_ROWS = 1_000
DRAIN_EVERY = 50
CONFIRM_S = 10.0
STOP_CONFIRM_S = 5.0
DRAIN_S = 0.2
IDLE_S = 1.0
SAVE_EVERY_S = 1.0
SAVE_EVENTS = 100
STUCK_AFTER_TRIES = 20

log = structlog.get_logger(__name__)

_READ = """
    select seq, event_id::text, type, subject, version, day::text, amount_fen,
        to_char(occurred_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        traceparent, correlation_id, causation_id, (select epoch from outbox_head), data::text
    from outbox where seq > %s order by seq limit %s
"""
_CURSOR = "select confirmed_seq from relay_cursor where partition = 0"
_SAVE = """
    insert into relay_cursor (partition, confirmed_seq, updated_at) values (0, %s, clock_timestamp())
    on conflict (partition) do update set confirmed_seq = excluded.confirmed_seq, updated_at = excluded.updated_at
"""


# Which of AMQP's basic properties an EventMessage has, as the bits of the property flags.
_FLAGS = pack(">H", 1 << 15 | 1 << 13 | 1 << 12 | 1 << 7 | 1 << 5 | 1 << 3)


class EventMessage(Message):  # type: ignore[misc]
    """A message with exactly the properties `_send` gives it, all short strings but the header table.

    py-amqp's general encoder takes four times as long, most of a relay's time; a test compares their bytes.
    """

    def _serialize_properties(self) -> bytes:
        given = self.properties
        items = []
        for name, value in given["application_headers"].items():
            key, text = name.encode(), value.encode()
            items.append(pack(">B", len(key)) + key + b"S" + pack(">I", len(text)) + text)
        table = b"".join(items)
        return b"".join(
            (
                _FLAGS,
                _short(given["content_type"]),
                pack(">I", len(table)),
                table,
                pack(">B", given["delivery_mode"]),
                _short(given["message_id"]),
                _short(given["type"]),
                _short(given["app_id"]),
            )
        )


def _short(text: str) -> bytes:
    raw = text.encode()
    return pack(">B", len(raw)) + raw


class PublishDoubtful(Exception):
    """The broker refused, returned or did not confirm an event in time. `result` names which."""

    def __init__(self, result: str, seq: int) -> None:
        super().__init__(f"event {seq}: {result}")
        self.result = result
        self.seq = seq


def save_cursor(connection: psycopg.Connection[Any], seq: int) -> None:
    """Remember that everything up to `seq` is confirmed."""
    connection.execute(_SAVE, (seq,))


class AmqpPublisher:
    """`run` publishes until told to stop; `wake` says that new numbers were given."""

    def __init__(self, service: str, database_url: str, amqp_url: str) -> None:
        self._service = service
        self._database_url = database_url
        self._amqp_url = amqp_url
        self._wake = threading.Event()
        self._tries: tuple[int, int] = (0, 0)

    def wake(self) -> None:
        self._wake.set()

    def run(self, stop: threading.Event) -> None:
        """Publish until `stop`; then wait up to STOP_CONFIRM_S for confirms and save the cursor. Never raises."""
        backoff = Backoff(stop)
        while not stop.is_set():
            try:
                self._publish(stop, backoff.reset)
            except (OSError, AMQPError, psycopg.Error, PublishDoubtful, topology.QueueNotHealthy) as error:
                self._note(error)
                metrics.RECONNECTS.labels(self._service, "relay").inc()
                log.warning("publishing_interrupted", service=self._service, error=repr(error))
                backoff.wait()
            except Exception:  # a bug must not end publishing silently
                log.exception("publishing_failed", service=self._service)
                backoff.wait()
        metrics.BLOCKED.labels(self._service).set(0)
        metrics.INFLIGHT.labels(self._service).set(0)

    def _note(self, error: Exception) -> None:
        if isinstance(error, PublishDoubtful):
            metrics.PUBLISHED.labels(self._service, error.result).inc()
            seq, tries = self._tries
            self._tries = (error.seq, tries + 1 if error.seq == seq else 1)
            if self._tries[1] >= STUCK_AFTER_TRIES:
                metrics.STUCK.labels(self._service).set(1)
                log.error("relay_stuck", service=self._service, seq=error.seq, tries=self._tries[1])

    def _publish(self, stop: threading.Event, progress: Callable[[], None]) -> None:
        # Losing the last cursor update in a crash only repeats publications, so its commit need not wait for disk.
        with postgres.connect(self._database_url, options="-c synchronous_commit=off") as store:
            session = _Session(self._service, store, progress, self._wake)
            broker = topology.connect(
                self._amqp_url, on_blocked=session.on_blocked, on_unblocked=session.on_unblocked
            )
            try:
                topology.declare_producer(broker, stop)
                session.open(broker)
                session.work(stop)
                self._tries = (0, 0)
                metrics.STUCK.labels(self._service).set(0)
            finally:
                metrics.BLOCKED.labels(self._service).set(0)
                _drop(broker)


def _drop(broker: Connection) -> None:
    """Close the socket without the polite conversation, which can hang on a sick broker."""
    try:
        if broker.connected:
            broker.connection.collect()
    except (OSError, AMQPError, AttributeError):
        log.debug("broker_connection_already_gone")


class _Session:
    """One broker connection: what is in flight on it, and how far everything is confirmed."""

    def __init__(
        self,
        service: str,
        store: psycopg.Connection[Any],
        progress: Callable[[], None],
        wake: threading.Event,
    ) -> None:
        self._service = service
        self._store = store
        self._progress = progress
        self._wake = wake
        self._unread: deque[tuple[Any, ...]] = deque()
        self._inflight: OrderedDict[int, tuple[int, str, float]] = OrderedDict()
        self._returned: set[str] = set()
        self._doubt: PublishDoubtful | None = None
        self._blocked = False
        self._tag = 0
        self._channel: Channel
        self._amqp: Any
        row = store.execute(_CURSOR).fetchone()
        self._saved = int(row[0]) if row else 0
        self._read_through = self._sent = self._saved
        self._saved_at = time.monotonic()
        self._blocked_until = 0.0
        self._acked = metrics.PUBLISHED.labels(service, "ack")
        self._confirm_s = metrics.CONFIRM_S.labels(service)

    # --- what the broker says

    def on_blocked(self, _reason: str) -> None:
        self._blocked = True
        metrics.BLOCKED.labels(self._service).set(1)
        log.warning("broker_blocks_publishers", service=self._service)

    def on_unblocked(self) -> None:
        self._blocked = False
        self._blocked_until = time.monotonic()
        metrics.BLOCKED.labels(self._service).set(0)
        log.info("broker_unblocks_publishers", service=self._service)

    def _on_ack(self, tag: int, multiple: bool) -> None:
        now = time.monotonic()
        last = 0.0
        for each in self._tags(tag, multiple=multiple):
            seq, event_id, at = self._inflight[each]
            if self._returned and event_id in self._returned:
                # For an unroutable message the return comes first and an ack follows; it proves nothing.
                self._doubt = self._doubt or PublishDoubtful("returned", seq)
                return
            del self._inflight[each]
            last = at
            self._acked.inc()
        if last:
            self._confirm_s.observe(now - last)

    def _on_nack(self, tag: int, multiple: bool) -> None:
        tags = self._tags(tag, multiple=multiple)
        if tags:
            self._doubt = self._doubt or PublishDoubtful("nack", self._inflight[tags[0]][0])

    def _on_return(self, _error: Exception, _exchange: str, _key: str, message: Message) -> None:
        self._returned.add(message.properties.get("message_id", ""))

    def _tags(self, tag: int, *, multiple: bool) -> list[int]:
        if not multiple:
            return [tag] if tag in self._inflight else []
        tags = []
        for each in self._inflight:
            if each > tag:
                break
            tags.append(each)
        return tags

    # --- what we do

    def open(self, broker: Connection) -> None:
        self._amqp = broker.connection
        self._channel = self._amqp.channel()
        self._channel.confirm_select()
        self._channel.events["basic_ack"].add(self._on_ack)
        self._channel.events["basic_nack"].add(self._on_nack)
        self._channel.events["basic_return"].add(self._on_return)
        # py-amqp reads the socket before every publication to learn of an alarm, at the price of several system
        # calls; this loop reads it every DRAIN_EVERY publications instead.
        # Copied, because py-amqp shares the dictionary between connections and the next must announce it again.
        properties = self._amqp.client_properties
        self._amqp.client_properties = {
            **properties,
            "capabilities": {**properties["capabilities"], "connection.blocked": False},
        }

    def work(self, stop: threading.Event) -> None:
        """Publish, collect confirms, save the cursor. Raises whatever ends this connection."""
        while not stop.is_set():
            self._fill()
            if self._inflight or self._blocked:
                self._drain(DRAIN_S)
            else:
                self._idle()
            self._check()
        deadline = time.monotonic() + STOP_CONFIRM_S
        while self._inflight and time.monotonic() < deadline:
            self._drain(DRAIN_S)
            self._check()
        self._save()
        self._amqp.close()

    def _fill(self) -> None:
        while not self._blocked and self._sent - self._saved < WINDOW:
            if not self._unread and not self._read():
                return
            self._send(self._unread.popleft())
            if self._tag % DRAIN_EVERY == 0:
                self._drain(0)
                self._check()

    def _read(self) -> bool:
        rows = self._store.execute(_READ, (self._read_through, READ_ROWS)).fetchall()
        if rows:
            self._read_through = rows[-1][0]
            self._unread.extend(rows)
        return bool(rows)

    def _send(self, row: tuple[Any, ...]) -> None:
        seq, event_id, event_type = row[:3]
        message = EventMessage(
            row[-1].encode(),
            content_type="application/json",
            delivery_mode=2,
            message_id=event_id,
            type=event_type,
            app_id=self._service,
            application_headers=amqp_headers(self._service, *row[:-1]),
        )
        self._tag += 1
        self._inflight[self._tag] = (seq, event_id, time.monotonic())
        self._sent = seq
        self._channel.basic_publish(
            message, exchange=topology.EVENTS.name, routing_key=routing_key(event_type), mandatory=True
        )

    def _drain(self, timeout_s: float) -> None:
        with suppress(TimeoutError):
            self._amqp.drain_events(timeout=timeout_s)

    def _idle(self) -> None:
        """Wait for new numbers; the socket is looked at now and then for heartbeats and alarms."""
        self._wake.wait(IDLE_S)
        self._wake.clear()
        self._drain(0)

    def _check(self) -> None:
        self._amqp.heartbeat_tick()
        confirmed = self._confirmed()
        due = time.monotonic() - self._saved_at > SAVE_EVERY_S
        if confirmed > self._saved and (due or not self._inflight or confirmed - self._saved >= SAVE_EVENTS):
            self._save()
        if self._doubt:
            self._save()
            raise self._doubt
        if self._inflight and not self._blocked:
            seq, _, at = next(iter(self._inflight.values()))
            if time.monotonic() - max(at, self._blocked_until) > CONFIRM_S:
                raise PublishDoubtful("timeout", seq)

    def _confirmed(self) -> int:
        """Everything up to here is confirmed: what lies before the oldest publication in flight."""
        if not self._inflight:
            return self._sent
        return next(iter(self._inflight.values()))[0] - 1

    def _save(self) -> None:
        confirmed = self._confirmed()
        metrics.INFLIGHT.labels(self._service).set(len(self._inflight))
        self._saved_at = time.monotonic()
        if confirmed > self._saved:
            save_cursor(self._store, confirmed)
            self._saved = confirmed
            self._progress()
