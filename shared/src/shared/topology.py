"""The AMQP topology: described once, declared idempotently, verified on request.

    apotheca.events (topic) ── <source>.# ──► <service>.events.v1 ── dead letters ──► <service>.dlq.v1
          └─ alternate exchange: apotheca.unrouted ──► apotheca.unrouted.v1 (bounded, oldest dropped)

Arguments of a queue cannot be changed: a change takes a new version in the name and draining the old queue.
A new queue takes part only after GATE_S and one confirmed canary: a quorum queue whose broker dies within its
first second can be lost for ever, confirmed messages included. What was published meanwhile comes by the feed.
"""

# mypy: disable-error-code="no-untyped-call"
# kombu has no types.

import socket
import ssl
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import httpx
from amqp import Message
from amqp.exceptions import AMQPError, NotFound, PreconditionFailed
from kombu.connection import Connection
from kombu.entity import Exchange, Queue

from shared.wire import CANARY

GATE_S = 2.0
CANARY_CONFIRM_S = 10.0
CANARY_KEPT_MS = "1000"
DELIVERY_LIMIT = 100
DLQ_DELIVERY_LIMIT = 1_000_000
"""Set, because RabbitMQ 4 drops after 20 deliveries otherwise; high, because nothing may leave this queue by itself."""
QUEUE_MESSAGES_MAX = 2_000_000
UNROUTED_MESSAGES_MAX = 100_000
HEARTBEAT_S = 10
CONNECT_S = 5
WRITE_S = 10
TCP_USER_TIMEOUT_MS = 10_000
# py-amqp's own default gives a connection up after a stall of one second. Only Linux knows the option.
_SOCKET_SETTINGS = (
    {socket.TCP_USER_TIMEOUT: TCP_USER_TIMEOUT_MS} if hasattr(socket, "TCP_USER_TIMEOUT") else {}
)

UNROUTED = Exchange("apotheca.unrouted", type="fanout", durable=True)
EVENTS = Exchange(
    "apotheca.events", type="topic", durable=True, arguments={"alternate-exchange": UNROUTED.name}
)
DEAD = Exchange("apotheca.dead", type="direct", durable=True)
UNROUTED_QUEUE = Queue(
    "apotheca.unrouted.v1",
    exchange=UNROUTED,
    durable=True,
    queue_arguments={
        "x-queue-type": "quorum",
        "x-max-length": UNROUTED_MESSAGES_MAX,
        "x-overflow": "drop-head",
    },
)


class QueueNotHealthy(Exception):
    """A queue exists and does not confirm: rebuild it under a new name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsumerQueues:
    """The queues of one consuming service and what is bound to the first."""

    events: Queue
    dead: Queue
    bindings: tuple[str, ...]


def events_queue(service: str) -> str:
    return f"{service}.events.v1"


def dead_queue(service: str) -> str:
    return f"{service}.dlq.v1"


def consumer_queues(service: str, sources: Sequence[str]) -> ConsumerQueues:
    return ConsumerQueues(
        events=Queue(
            events_queue(service),
            exchange=EVENTS,
            durable=True,
            queue_arguments={
                "x-queue-type": "quorum",
                "x-delivery-limit": DELIVERY_LIMIT,
                "x-dead-letter-exchange": DEAD.name,
                "x-dead-letter-routing-key": service,
                "x-dead-letter-strategy": "at-least-once",
                "x-overflow": "reject-publish",
                "x-max-length": QUEUE_MESSAGES_MAX,
            },
        ),
        dead=Queue(
            dead_queue(service),
            exchange=DEAD,
            routing_key=service,
            durable=True,
            queue_arguments={
                "x-queue-type": "quorum",
                "x-delivery-limit": DLQ_DELIVERY_LIMIT,
                "x-overflow": "reject-publish",
                "x-max-length": QUEUE_MESSAGES_MAX,
            },
        ),
        bindings=tuple(f"{source}.#" for source in sources),
    )


def authority_of(url: str) -> tuple[str, str | None]:
    """Split a broker's URL into the address proper and the file of its private authority (`?cacertfile=`), if any."""
    address, _, query = url.partition("?")
    return address, dict(parse_qsl(query)).get("cacertfile")


def tls_context(url: str) -> ssl.SSLContext:
    """What checks certificate and host name, by the private authority or those of the machine."""
    return ssl.create_default_context(cafile=authority_of(url)[1])


def connect(url: str, **transport_options: Any) -> Connection:
    """A kombu connection with the timeouts every AMQP conversation here has; connects on first use.

    With `amqps` certificate and host name are checked: left to itself, py-amqp checks no name.
    """
    address, authority = authority_of(url)
    parts = urlsplit(address)
    checks = {"server_hostname": parts.hostname, "cert_reqs": ssl.CERT_REQUIRED, "ca_certs": authority}
    return Connection(
        address,
        ssl=checks if parts.scheme == "amqps" else False,
        heartbeat=HEARTBEAT_S,
        connect_timeout=CONNECT_S,
        transport_options={
            "write_timeout": WRITE_S,
            "socket_settings": _SOCKET_SETTINGS,
            **transport_options,
        },
    )


def declare_producer(connection: Connection, stop: threading.Event) -> None:
    """Declare what a relay publishes to. Raises QueueNotHealthy."""
    _declare(connection, [UNROUTED_QUEUE], stop)


def declare_consumer(
    connection: Connection, service: str, sources: Sequence[str], stop: threading.Event
) -> None:
    """Declare a service's queues and bind them. Raises QueueNotHealthy."""
    queues = consumer_queues(service, sources)
    _declare(connection, [UNROUTED_QUEUE, queues.dead, queues.events], stop)
    with connection.channel() as channel:
        for key in queues.bindings:
            queues.events(channel).bind_to(EVENTS, routing_key=key)


def _declare(connection: Connection, queues: Sequence[Queue], stop: threading.Event) -> None:
    """Exchanges, then queues; new queues are bound only when they are old enough and confirm a canary."""
    with connection.channel() as channel:
        for exchange in (EVENTS, UNROUTED, DEAD):
            exchange(channel).declare()
    new = [queue for queue in queues if _declare_queue(connection, queue)]
    if new:
        stop.wait(GATE_S)
    for queue in new:
        # Consumers drop a canary; where nobody consumes it must go by itself.
        is_consumed = queue.exchange.name == EVENTS.name
        send_canary(connection, queue.name, kept_ms=None if is_consumed else CANARY_KEPT_MS)
    with connection.channel() as channel:
        for queue in queues:
            if queue.exchange.name != EVENTS.name:
                queue(channel).queue_bind()


def _declare_queue(connection: Connection, queue: Queue) -> bool:
    """Declare `queue`; return whether it is new."""
    is_new = not _exists(connection, queue)
    with connection.channel() as channel:
        queue(channel).queue_declare()
    return is_new


def _exists(connection: Connection, queue: Queue) -> bool:
    # A failed passive declaration closes its channel, so each question gets a channel of its own.
    channel = connection.channel()
    try:
        queue(channel).queue_declare(passive=True)
    except NotFound:
        return False
    channel.close()
    return True


def send_canary(connection: Connection, queue: str, *, kept_ms: str | None = None) -> None:
    """Prove that `queue` takes and confirms a message. Raises QueueNotHealthy."""
    properties = {"type": CANARY, "delivery_mode": 2}
    if kept_ms:
        properties["expiration"] = kept_ms
    channel = connection.connection.channel()
    try:
        channel.basic_publish_confirm(
            Message(b"{}", **properties),
            exchange="",
            routing_key=queue,
            mandatory=True,
            confirm_timeout=CANARY_CONFIRM_S,
        )
        channel.close()
    except (TimeoutError, AMQPError) as error:
        raise QueueNotHealthy(f"queue {queue} does not confirm: {type(error).__name__}") from error


def verify(
    connection: Connection,
    service: str,
    sources: Sequence[str],
    management_url: str | None = None,
    context: ssl.SSLContext | None = None,
) -> list[str]:
    """Compare the broker with the description; one sentence per fault, none when all is well.

    AMQP cannot list bindings: they are compared only where the management API's address is given. `context` checks
    that one's certificate.
    """
    faults = []
    queues = consumer_queues(service, sources)
    for exchange in (EVENTS, UNROUTED, *([DEAD] if sources else [])):
        faults += _faults_of(connection, f"exchange {exchange.name}", exchange, "declare")
    for queue in (UNROUTED_QUEUE, *([queues.dead, queues.events] if sources else [])):
        if _exists(connection, queue):
            faults += _faults_of(connection, f"queue {queue.name}", queue, "queue_declare")
        else:
            faults.append(f"queue {queue.name} does not exist")
    if sources and management_url and not faults:
        faults += _binding_faults(connection, queues, management_url, context)
    return faults


def _faults_of(connection: Connection, what: str, entity: Exchange | Queue, declare: str) -> list[str]:
    channel = connection.channel()
    try:
        if isinstance(entity, Exchange):
            entity(channel).declare(passive=True)
        getattr(entity(channel), declare)()
    except NotFound:
        return [f"{what} does not exist"]
    except PreconditionFailed as error:
        return [f"{what} has other arguments: {error.reply_text}"]
    channel.close()
    return []


def _binding_faults(
    connection: Connection, queues: ConsumerQueues, management_url: str, context: ssl.SSLContext | None
) -> list[str]:
    vhost = quote(connection.virtual_host or "/", safe="")
    parts = urlsplit(management_url)
    answer = httpx.get(
        f"{parts.scheme}://{parts.hostname}:{parts.port}/api/queues/{vhost}/{queues.events.name}/bindings",
        auth=(
            parts.username or connection.userid or "guest",
            parts.password or connection.password or "guest",
        ),
        timeout=CONNECT_S,
        trust_env=False,
        verify=context or True,
    ).raise_for_status()
    bound = {each["routing_key"] for each in answer.json() if each["source"] == EVENTS.name}
    wanted = set(queues.bindings)
    return [
        *(f"queue {queues.events.name} lacks the binding {key}" for key in sorted(wanted - bound)),
        *(f"queue {queues.events.name} has a foreign binding {key}" for key in sorted(bound - wanted)),
    ]
