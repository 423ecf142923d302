"""Consume from the service's quorum queue: one thread speaks AMQP, one applies batches to the database.

A batch is what has arrived, at most BATCH_EVENTS; only a busy consumer waits for more, at most LINGER_S, so an
idle one applies an event at once. Messages are acknowledged after the commit and only on the channel that
delivered them; whatever was not acknowledged comes again and is known to the inbox. While a whole batch waits, the
one before is acknowledged when the database takes that batch: what the broker then sends is read beside, not before.
A database that is away for GIVE_BACK_S makes the consumer give everything back; it never rejects a message.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import pika
import structlog
from amqp.exceptions import AMQPError
from pika.adapters.blocking_connection import BlockingChannel, BlockingConnection
from pika.exceptions import AMQPError as PikaError

from shared import messaging_metrics as metrics
from shared import topology, wire
from shared.backoff import Backoff
from shared.consumer import BatchResult, apply_batch
from shared.database import Database
from shared.service import Service
from shared.sqlstates import is_transient
from shared.wire import Received

PREFETCH = 1_000
BATCH_EVENTS = 400
LINGER_S = 0.05
GIVE_BACK_S = 60.0
WATCH_EVERY_S = 30.0
TAKE_S = 1.0
STOP_S = 8.0
BLOCKED_S = 30

log = structlog.get_logger(__name__)

Applied = Callable[[BatchResult], None]


def open_connection(url: str) -> BlockingConnection:
    """A pika connection to `url`, read as kombu reads it: the two differ on what `//` means."""
    read = topology.connect(url)
    is_tls = urlsplit(url).scheme == "amqps"
    return BlockingConnection(
        pika.ConnectionParameters(
            host=read.hostname or "127.0.0.1",
            port=read.port or (5671 if is_tls else 5672),
            virtual_host=read.virtual_host or "/",
            credentials=pika.PlainCredentials(read.userid or "guest", read.password or "guest"),
            ssl_options=pika.SSLOptions(topology.tls_context(url), read.hostname) if is_tls else None,
            heartbeat=topology.HEARTBEAT_S,
            socket_timeout=topology.CONNECT_S,
            blocked_connection_timeout=BLOCKED_S,
        )
    )


class DeliveryEnded(Exception):
    """The broker cancelled the consumer or delivers nothing although messages wait: connect anew."""


@dataclass(slots=True)
class _Delivery:
    channel: BlockingChannel
    tag: int
    headers: dict[str, Any] | None
    body: bytes
    is_canary: bool


class _Arrivals:
    """Deliveries between the two threads."""

    def __init__(self) -> None:
        self._waiting: deque[_Delivery] = deque()
        self._changed = threading.Condition()
        self._last_size = 0

    def put(self, delivery: _Delivery) -> None:
        """Wakes the other thread for the first of a batch and for the last: between them it would only look again."""
        with self._changed:
            self._waiting.append(delivery)
            if len(self._waiting) in {1, BATCH_EVENTS}:
                self._changed.notify()

    def clear(self) -> None:
        with self._changed:
            self._waiting.clear()

    def has_batch(self) -> bool:
        """Whether the next batch is here whole, so that taking it waits for nothing."""
        return len(self._waiting) >= BATCH_EVENTS

    def take(self) -> list[_Delivery]:
        """A batch from one channel; empty after TAKE_S without a delivery."""
        with self._changed:
            if not self._changed.wait_for(lambda: bool(self._waiting), TAKE_S):
                self._last_size = 0
                return []
            linger_s = LINGER_S * self._last_size / BATCH_EVENTS
            if linger_s > LINGER_S / 10:
                self._changed.wait_for(lambda: len(self._waiting) >= BATCH_EVENTS, linger_s)
            if not self._waiting:
                return []
            channel = self._waiting[0].channel
            batch: list[_Delivery] = []
            while self._waiting and len(batch) < BATCH_EVENTS and self._waiting[0].channel is channel:
                batch.append(self._waiting.popleft())
            self._last_size = len(batch)
            return batch


def consume(
    database: Database, service: Service, amqp_url: str, applied: Applied, stop: threading.Event
) -> None:
    """Apply what the broker delivers until `stop`; the batch in hand is finished and acknowledged."""
    arrivals = _Arrivals()
    link = _Link(service, amqp_url, arrivals)
    thread = threading.Thread(target=link.run, args=(stop,), name=f"deliver-{service.name}", daemon=True)
    thread.start()
    try:
        while not stop.is_set():
            if not arrivals.has_batch():
                link.acknowledge()
            batch = arrivals.take()
            if batch:
                _apply(database, service, link, batch, applied, stop)
    finally:
        link.acknowledge()
        link.finish()
        thread.join(STOP_S)


def _apply(
    database: Database,
    service: Service,
    link: "_Link",
    batch: list[_Delivery],
    applied: Applied,
    stop: threading.Event,
) -> None:
    received: list[Received] = [
        wire.from_amqp(each.headers, each.body) for each in batch if not each.is_canary
    ]
    backoff = Backoff(stop)
    give_back_at = time.monotonic() + GIVE_BACK_S
    while True:
        try:
            if received:
                applied(apply_batch(database, service, received, meanwhile=link.acknowledge))
        except Exception as error:
            if not is_transient(error):
                raise
            link.acknowledge()
            log.warning("batch_waits", service=service.name, size=len(received), error=type(error).__name__)
            if stop.is_set() or time.monotonic() > give_back_at:
                link.give_back(batch[0].channel)
                return
            backoff.wait()
        else:
            link.settled(batch[-1].channel, batch[-1].tag)
            return


class _Link:
    """The AMQP side: connects, consumes, acknowledges on request, connects anew after any fault."""

    def __init__(self, service: Service, amqp_url: str, arrivals: _Arrivals) -> None:
        self._service = service
        self._url = amqp_url
        self._arrivals = arrivals
        self._connection: BlockingConnection | None = None
        self._channel: BlockingChannel | None = None
        self._settled: tuple[BlockingChannel, int] | None = None
        self._finished = threading.Event()
        self._ended: str | None = None
        self._delivered_at = 0.0

    # --- called by the database thread

    def settled(self, channel: BlockingChannel, tag: int) -> None:
        """Everything up to `tag` is committed: `acknowledge` may tell the broker."""
        self._settled = channel, tag

    def acknowledge(self) -> None:
        """Acknowledge what is settled and was not acknowledged yet, if the channel that delivered it still lives."""
        if self._settled is not None:
            channel, tag = self._settled
            self._settled = None
            self._later(channel, partial(channel.basic_ack, tag, multiple=True))

    def give_back(self, channel: BlockingChannel) -> None:
        """Close the channel: the broker delivers what is unacknowledged again, in order."""
        self._later(channel, partial(self._end, "the database is away"))

    def finish(self) -> None:
        """Close after the acknowledgements that were asked for."""
        self._finished.set()
        connection = self._connection
        if connection is not None:
            try:
                connection.add_callback_threadsafe(lambda: None)
            except PikaError:
                log.debug("connection_already_gone")

    def _later(self, channel: BlockingChannel, act: Callable[[], None]) -> None:
        connection = self._connection
        is_current: bool = self._channel is channel
        if connection is None or not is_current:
            return

        def act_if_open() -> None:
            if channel.is_open:
                act()

        try:
            connection.add_callback_threadsafe(act_if_open)
        except PikaError:
            log.debug("connection_already_gone")

    # --- the AMQP thread

    def run(self, stop: threading.Event) -> None:
        backoff = Backoff(stop)
        while not stop.is_set():
            try:
                self._deliver(stop, backoff)
            except (PikaError, AMQPError, OSError, DeliveryEnded, topology.QueueNotHealthy) as error:
                metrics.RECONNECTS.labels(self._service.name, "consumer").inc()
                log.warning("delivery_interrupted", service=self._service.name, error=repr(error))
                backoff.wait()
            except Exception:  # a bug must not end delivery silently
                log.exception("delivery_failed", service=self._service.name)
                backoff.wait()

    def _deliver(self, stop: threading.Event, backoff: Backoff) -> None:
        self._arrivals.clear()
        with topology.connect(self._url) as broker:
            topology.declare_consumer(broker, self._service.name, self._service.sources, stop)
        connection = open_connection(self._url)
        self._ended = None
        try:
            channel = connection.channel()
            channel.basic_qos(prefetch_count=PREFETCH)
            channel.add_on_cancel_callback(lambda _frame: self._end("the broker cancelled the consumer"))
            channel.basic_consume(topology.events_queue(self._service.name), self._on_message)
            self._connection, self._channel = connection, channel
            self._delivered_at = time.monotonic()
            log.info("consuming", service=self._service.name)
            backoff.reset()
            while not self._finished.is_set():
                connection.process_data_events(time_limit=1)
                if self._ended:
                    raise DeliveryEnded(self._ended)
                self._watch(channel)
            # The acknowledgement of the last batch was asked for before `finish`: it runs here.
            connection.process_data_events(time_limit=0)
        finally:
            self._connection = self._channel = None
            _close(connection)

    def _on_message(
        self, channel: BlockingChannel, method: Any, properties: pika.BasicProperties, body: bytes
    ) -> None:
        self._delivered_at = time.monotonic()
        if method.redelivered:
            metrics.REDELIVERED.labels(self._service.name).inc()
        self._arrivals.put(
            _Delivery(channel, method.delivery_tag, properties.headers, body, properties.type == wire.CANARY)
        )

    def _watch(self, channel: BlockingChannel) -> None:
        """After a quiet while, restore bindings somebody may have removed and see that the queue is really empty."""
        if time.monotonic() - self._delivered_at < WATCH_EVERY_S:
            return
        queue = topology.events_queue(self._service.name)
        for source in self._service.sources:
            channel.queue_bind(queue, topology.EVENTS.name, f"{source}.#")
        waiting = channel.queue_declare(queue, passive=True).method.message_count
        if waiting and time.monotonic() - self._delivered_at >= WATCH_EVERY_S:
            raise DeliveryEnded(f"{waiting} messages wait and none is delivered")
        self._delivered_at = time.monotonic()

    def _end(self, why: str) -> None:
        self._ended = why


def _close(connection: BlockingConnection) -> None:
    try:
        if connection.is_open:
            connection.close()
    except (PikaError, OSError):
        log.debug("connection_already_gone")
