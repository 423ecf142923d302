"""The least a publisher can do: ready-made messages from memory to a quorum queue, confirms in windows of 500.

usage: bare_publish.py <amqp url> <queue> <file of JSON lines>; prints messages per second.
"""

import sys
import time
from pathlib import Path

from amqp import Message
from kombu import Connection

WINDOW = 500


def main(url: str, queue: str, path: str) -> None:
    bodies = Path(path).read_bytes().splitlines()
    with Connection(url) as connection:
        channel = connection.channel()
        channel.queue_declare(queue, durable=True, auto_delete=False, arguments={"x-queue-type": "quorum"})
        channel.confirm_select()
        confirmed = 0

        def acked(tag: int, multiple: bool) -> None:
            nonlocal confirmed
            confirmed = tag if multiple else max(confirmed + 1, confirmed)

        channel.events["basic_ack"].add(acked)
        started = time.perf_counter()
        for sent, body in enumerate(bodies, 1):
            channel.basic_publish(Message(body, delivery_mode=2), "", queue)
            while sent - confirmed >= WINDOW:
                connection.drain_events(timeout=10)
        while confirmed < len(bodies):
            connection.drain_events(timeout=10)
        print(len(bodies) / (time.perf_counter() - started))


main(*sys.argv[1:])
