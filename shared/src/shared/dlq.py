"""Empty a service's dead-letter queue: most messages in it are innocent victims of a process that kept dying.

Each goes through the inbox like any other delivery: known ones change nothing, fresh ones are applied, refused
ones are parked. Messages are acknowledged after the commit.
"""

from dataclasses import dataclass

from shared import topology, wire
from shared.amqp_source import open_connection
from shared.consumer import apply_batch, park_batch
from shared.database import Database
from shared.service import Service
from shared.wire import Received

BATCH_MESSAGES = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Drained:
    """Counts of messages taken from the queue and what became of them."""

    taken: int
    applied: int
    known: int
    parked: int


def depth(service: Service, amqp_url: str) -> int:
    """How many messages wait in the dead-letter queue."""
    connection = open_connection(amqp_url)
    try:
        declared = connection.channel().queue_declare(topology.dead_queue(service.name), passive=True)
        return int(declared.method.message_count)
    finally:
        connection.close()


def drain(
    service: Service, database: Database, amqp_url: str, *, limit: int = 100_000, park: str | None = None
) -> Drained:
    """Take up to `limit` messages. With `park` (a reason) they are parked untried: for events that kill."""
    taken = applied = known = parked = 0
    connection = open_connection(amqp_url)
    try:
        channel = connection.channel()
        while taken < limit:
            batch: list[Received] = []
            last_tag = 0
            while len(batch) < min(BATCH_MESSAGES, limit - taken):
                method, properties, body = channel.basic_get(topology.dead_queue(service.name))
                if method is None:
                    break
                last_tag = method.delivery_tag
                if properties.type != wire.CANARY:
                    batch.append(wire.from_amqp(properties.headers, body))
            if batch:
                if park is None:
                    result = apply_batch(database, service, batch)
                else:
                    result = park_batch(database, service, batch, reason=park)
                taken += len(batch)
                applied += result.fresh
                known += result.duplicates
                parked += result.parked
            if last_tag:
                channel.basic_ack(last_tag, multiple=True)
            else:
                break
    finally:
        connection.close()
    return Drained(taken=taken, applied=applied, known=known, parked=parked)
