"""The least a consumer can do: pika, batches of 200, one executemany and one commit a batch, then one ack.

usage: bare_consume.py <amqp url> <queue> <postgres url> <count>; prints messages per second.
"""

import sys
import time

import pika
import psycopg

BATCH = 200


def main(url: str, queue: str, database: str, count: str) -> None:
    wanted, done, batch = int(count), 0, []
    with psycopg.connect(database) as store:
        store.execute("create table if not exists bare (id bigint generated always as identity, body jsonb)")
        store.commit()
        channel = pika.BlockingConnection(pika.URLParameters(url)).channel()
        channel.basic_qos(prefetch_count=1000)
        started = None
        for method, _properties, body in channel.consume(queue):
            started = started or time.perf_counter()
            batch.append((body.decode(),))
            if len(batch) == BATCH or done + len(batch) == wanted:
                with store.cursor() as cursor:
                    cursor.executemany("insert into bare (body) values (%s)", batch)
                store.commit()
                channel.basic_ack(method.delivery_tag, multiple=True)
                done, batch = done + len(batch), []
            if done == wanted:
                break
        print(wanted / (time.perf_counter() - started))


main(*sys.argv[1:])
