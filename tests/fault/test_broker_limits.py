"""F05, F06, F12: a broker that dies with a queue just born, is away for long, or has a queue that is full."""

import json
import statistics
import time

import pytest

from shared import messaging_metrics as metrics
from shared import topology
from tests.support import ledger_oracle as oracle
from tests.support import ledger_service as ledger
from tests.support import queues
from tests.support.eventually import eventually
from tests.support.length import short_or_full

pytestmark = pytest.mark.requirement("X3")


@pytest.mark.case("F05")
def test_a_queue_whose_broker_dies_at_its_birth_is_made_good_from_the_producer(open_world, rabbitmq):
    """A quorum queue killed within its first second may be broken for ever; what it should hold comes by the feed."""
    world = open_world("amqp")
    amqp_url = world.book_settings.amqp_url
    with topology.connect(amqp_url) as connection:
        channel = connection.default_channel
        channel.queue_delete(topology.events_queue("book"))
    world.start("relay")
    ledger.post_many(world.till, 100)
    world.start("consumer")  # it declares the queue, and the broker dies while it waits at the gate
    eventually(lambda: _exists(amqp_url), within_s=20, every_s=0.02)
    rabbitmq.kill()
    ledger.post_many(world.till, 200, prefix="dead")
    rabbitmq.start()
    ledger.post_many(world.till, 200, prefix="after")
    oracle.agree(world.till, world.book, within_s=60)


def _exists(amqp_url: str) -> bool:
    try:
        queues.depth(amqp_url, topology.events_queue("book"))
    except Exception:  # noqa: BLE001  pika raises several kinds for a queue that is not there
        return False
    return True


@pytest.mark.case("F06")
def test_a_broker_away_for_long_slows_no_write_and_the_backlog_drains(open_world, rabbitmq):
    world = open_world("amqp")
    world.start("relay")
    world.start("consumer")
    seconds, rate = short_or_full((4, 100), (60, 200))
    usual = _write_steadily(world, "usual", seconds, rate)
    oracle.agree(world.till, world.book, within_s=30)
    rabbitmq.kill()
    away = _write_steadily(world, "away", seconds, rate)
    backlog = seconds * rate
    rabbitmq.start()
    back = time.monotonic()
    oracle.agree(world.till, world.book, within_s=short_or_full(40, 30))
    print(f"{backlog} events drained in {time.monotonic() - back:.1f} s")
    # Fewer processes work while the broker is away; the median cannot hide a write that waits for it.
    assert statistics.median(away) <= statistics.median(usual) * short_or_full(2, 1.2) + 0.002
    assert max(away) < 2


def _write_steadily(world, prefix, seconds, rate) -> list[float]:
    taken, begin = [], time.monotonic()
    for number in range(seconds * rate):
        due = begin + number / rate
        if (early := due - time.monotonic()) > 0:
            eventually(lambda due=due: time.monotonic() >= due, within_s=early + 1, every_s=0.001)
        started = time.monotonic()
        with world.till.begin() as conn:
            ledger.post(ledger.tx_on(conn), f"{prefix}{number}", 100)
        taken.append(time.monotonic() - started)
    return taken


@pytest.mark.case("F12")
def test_a_full_queue_holds_the_relay_back_and_drains_when_it_is_read(open_world, rabbitmq):
    world = open_world("amqp")
    queue = topology.events_queue("book")
    policy = {"pattern": f"^{queue}$", "definition": {"max-length": 1_000}, "apply-to": "queues"}
    rabbitmq.management("PUT", f"/api/policies/{world.vhost}/full", json.dumps(policy).encode())
    refused = metrics.PUBLISHED.labels("till", "nack")
    before = refused._value.get()
    with world.here("relay"):
        ledger.post_many(world.till, 3_000)
        # its waits double from a tenth of a second: by the sixth refusal they are seconds
        eventually(lambda: refused._value.get() >= before + 6, within_s=60)
        since, tried = time.monotonic(), refused._value.get()
        watched_s = short_or_full(4, 60)
        eventually(lambda: time.monotonic() - since > watched_s, within_s=watched_s + 1)
        per_minute = (refused._value.get() - tried) * 60 / watched_s
        assert per_minute <= 30, "the relay hammers a queue that is full"
        assert queues.depth(world.book_settings.amqp_url, queue) < 3_000
        world.start("consumer")
        oracle.agree(world.till, world.book, within_s=60)
