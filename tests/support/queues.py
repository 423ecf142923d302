"""Look into queues and tamper with them, as no part of the system ever does."""

import threading
from collections.abc import Sequence

import pika

from shared import topology
from shared.amqp_source import open_connection
from shared.events import Envelope
from shared.service import Service
from shared.wire import amqp_headers


def declare(service: Service, amqp_url: str) -> None:
    with topology.connect(amqp_url) as connection:
        topology.declare_consumer(connection, service.name, service.sources, threading.Event())


def depth(amqp_url: str, queue: str) -> int:
    """Messages ready in `queue`."""
    connection = open_connection(amqp_url)
    try:
        return connection.channel().queue_declare(queue, passive=True).method.message_count
    finally:
        connection.close()


def steal(amqp_url: str, queue: str, chosen: set[int]) -> int:
    """Take the messages with these positions (from 0) out of the queue; the others go back. Returns how many."""
    connection = open_connection(amqp_url)
    channel = connection.channel()
    taken = 0
    for position in range(max(chosen) + 1):
        method, _, _ = channel.basic_get(queue)
        assert method is not None, f"only {position} messages in {queue}"
        if position in chosen:
            channel.basic_ack(method.delivery_tag)
            taken += 1
    connection.close()
    return taken


def inject(amqp_url: str, queue: str, messages: Sequence[tuple[dict[str, str], bytes]]) -> None:
    """Put messages straight into `queue`; the broker has confirmed each on return.

    Without confirms the broker drops what it has read and not yet handled when the connection closes.
    """
    connection = open_connection(amqp_url)
    channel = connection.channel()
    channel.confirm_delivery()
    for headers, body in messages:
        channel.basic_publish("", queue, body, pika.BasicProperties(headers=headers, delivery_mode=2))
    connection.close()


def headers_of(envelope: Envelope) -> dict[str, str]:
    return amqp_headers(
        envelope.source,
        envelope.seq,
        str(envelope.event_id),
        envelope.type,
        envelope.subject,
        envelope.version,
        envelope.day.isoformat(),
        envelope.amount_fen,
        envelope.occurred_at.isoformat(),
        envelope.traceparent,
        envelope.correlation_id,
        envelope.causation_id,
        envelope.epoch,
    )
