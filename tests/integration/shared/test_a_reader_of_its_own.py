"""The page for other people's programs is true: its commands and its program run as they stand, on a real broker."""

import os
import re
import shlex
import subprocess
import sys
import threading
from urllib.parse import urlsplit

import pytest

from deploy.generate.repository import ROOT, examples
from shared import outbox, relay, topology
from shared.clock import utc_now
from shared.database import Database
from shared.events import Event
from shared.identity import system_actor
from shared.service import load
from shared.settings import Settings
from shared.transaction import Tx
from tests.support.eventually import eventually
from tests.support.published import faults_of

PAGE = (ROOT / "docs" / "consuming-events.md").read_text()
PASSWORD = "only-here"
SALE = next(each for each in examples() if each.type == "finance.sale.posted.v1")


def block(language):
    [found] = re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    return found


@pytest.fixture
def login(rabbitmq):
    """The page's own commands, with a password where the tool would ask for one."""
    for line in block("sh").splitlines():
        program, *arguments = shlex.split(line)
        assert program == "rabbitmqctl"
        rabbitmq.ctl(*arguments, *([PASSWORD] if arguments[0] == "add_user" else []))
    where = urlsplit(rabbitmq.url)
    yield f"amqp://partner:{PASSWORD}@{where.hostname}:{where.port}/%2F"
    rabbitmq.ctl("delete_user", "partner")
    rabbitmq.ctl("clear_policy", "partner")


def sell(database, receipt_number):
    with database.begin() as conn:
        tx = Tx(conn=conn, actor=system_actor("test"), now=utc_now())
        data = {**SALE.data, "customer_id": None, "receipt_number": receipt_number}
        event = Event(
            type=SALE.type,
            subject=receipt_number,
            version=1,
            day=utc_now().date(),
            amount_fen=3900,
            data=data,
        )
        assert faults_of(event.type, data) == []
        outbox.append(tx, event)


def test_the_program_of_the_page_reads_what_finance_sells(rabbitmq, login, migrated_database):
    url = migrated_database("finance")
    with topology.connect(rabbitmq.url) as connection:
        topology.declare_producer(connection, threading.Event())
    program = subprocess.Popen(
        [sys.executable, "-c", block("python")],
        env={**os.environ, "AMQP_URL": login},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    stop = threading.Event()
    relaying = threading.Thread(
        target=relay.run,
        args=(load("finance"), Settings(database_url=url, transport="amqp", amqp_url=rabbitmq.url), stop),
    )
    database = Database(url, pool_size=1)
    try:
        eventually(lambda: "partner.sales" in rabbitmq.ctl("list_bindings"), within_s=30)
        relaying.start()
        sell(database, "R-1")
        sell(database, "R-2")
        read = [program.stdout.readline().split() for _ in range(2)]
        eventually(lambda: " 0" in queue_of(rabbitmq), within_s=30)
    finally:
        stop.set()
        program.kill()
        program.wait()
        if relaying.ident:
            relaying.join()
        database.dispose()
    assert read == [[f"{seq:020d}", f"R-{seq}", "3900"] for seq in (1, 2)]
    rabbitmq.management("DELETE", "/api/queues/%2F/partner.sales")


def queue_of(rabbitmq):
    """What the program has not acknowledged yet is still there."""
    return rabbitmq.ctl("list_queues", "name", "messages").replace("\t", " ")


def test_such_a_login_can_tell_nothing_and_read_nobody_elses_queue(rabbitmq, login):
    import pika

    for forbidden in (
        lambda channel: channel.basic_publish(
            "apotheca.events", "finance.sale.posted", b"{}", mandatory=True
        ),
        lambda channel: channel.queue_declare("reporting.events.v1", durable=True),
        lambda channel: channel.exchange_declare("apotheca.events", "topic", durable=True),
    ):
        with topology.connect(rabbitmq.url) as ours:
            topology.declare_producer(ours, threading.Event())
        connection = pika.BlockingConnection(pika.URLParameters(login))
        channel = connection.channel()
        channel.confirm_delivery()
        with pytest.raises(pika.exceptions.ChannelClosedByBroker) as refused:
            forbidden(channel)
        assert refused.value.reply_code == 403
        connection.close()
