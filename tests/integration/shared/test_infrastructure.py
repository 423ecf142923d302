"""The servers of the tests do what the tests rely on."""

import pika
import psycopg
import pytest

from tests.support.eventually import eventually


def rows(url, statement):
    with psycopg.connect(url.replace("+psycopg", "")) as conn:
        return conn.execute(statement).fetchall()


def test_a_database_can_be_ordered_and_dropped(postgres):
    url = postgres.create_database()
    assert rows(url, "SELECT 1") == [(1,)]
    postgres.drop_database(url)
    with pytest.raises(psycopg.OperationalError):
        rows(url, "SELECT 1")


def test_a_killed_broker_comes_back_on_its_port_with_its_durable_queues(rabbitmq):
    url = rabbitmq.vhost()
    publish_one(url)
    # The management figures prove the queue's log is on disk: a queue younger than that may be lost by SIGKILL.
    queue = f"/api/queues/{url.rsplit('/', 1)[1]}/kept"
    eventually(lambda: b'"messages_ready":1,' in rabbitmq.management("GET", queue), within_s=20)
    rabbitmq.kill()
    with pytest.raises(pika.exceptions.AMQPConnectionError):
        pika.BlockingConnection(pika.URLParameters(url))
    rabbitmq.start()
    assert eventually(lambda: take_one(url), within_s=30) == b"kept"


def test_the_broker_takes_commands_of_its_operator(rabbitmq):
    assert "rabbit" in rabbitmq.ctl("status").lower()


def publish_one(url):
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        channel = connection.channel()
        channel.queue_declare("kept", durable=True, arguments={"x-queue-type": "quorum"})
        channel.confirm_delivery()
        channel.basic_publish("", "kept", b"kept", pika.BasicProperties(delivery_mode=2), mandatory=True)


def take_one(url):
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        return connection.channel().basic_get("kept", auto_ack=True)[2]
