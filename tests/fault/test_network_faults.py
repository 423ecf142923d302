"""F08, F09, F10: the network between us and the broker falls silent, resets connections, becomes slow."""

import threading
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from shared import messaging_metrics as metrics
from tests.support import ledger_oracle as oracle
from tests.support import ledger_service as ledger
from tests.support.eventually import eventually
from tests.support.length import short_or_full
from tests.support.network import through_a_network

pytestmark = pytest.mark.requirement("X3")

RELAY_NOTICES_S = 12
CONSUMER_NOTICES_S = 25
"""Twice the heartbeat of 10 s, and a turn of the loop."""


@pytest.fixture
def lines(open_world):
    """A world whose relay and consumer reach the broker through a network each."""
    with ExitStack() as stack:
        world = open_world("amqp")
        to_relay, relay_url = stack.enter_context(through_a_network(world.till_settings.amqp_url))
        to_consumer, consumer_url = stack.enter_context(through_a_network(world.book_settings.amqp_url))
        world.till_settings = replace(world.till_settings, amqp_url=relay_url)
        world.book_settings = replace(world.book_settings, amqp_url=consumer_url)
        with world.here("relay"), world.here("consumer"):
            ledger.post_many(world.till, 20, prefix="before")
            eventually(lambda: entries(world) == 20, within_s=30)
            yield world, to_relay, to_consumer


def entries(world) -> int:
    with world.book.begin() as conn:
        return conn.exec_driver_sql("select count(*) from entries").scalar_one()


def reconnects(service: str, role: str) -> float:
    return metrics.RECONNECTS.labels(service, role)._value.get()


@pytest.mark.case("F08")
@pytest.mark.parametrize("direction", short_or_full(["up"], ["up", "down"]))
def test_a_relay_notices_a_silent_network_and_goes_on_when_it_is_healed(lines, direction):
    world, to_relay, _ = lines
    before = reconnects("till", "relay")
    to_relay.silence(direction)
    ledger.post_many(world.till, 300, prefix="silent")
    silent_at = time.monotonic()
    eventually(lambda: reconnects("till", "relay") > before, within_s=RELAY_NOTICES_S + 8)
    assert time.monotonic() - silent_at <= RELAY_NOTICES_S + short_or_full(5, 0)
    to_relay.heal()
    oracle.agree(world.till, world.book, within_s=short_or_full(30, 20))


@pytest.mark.case("F08")
@pytest.mark.parametrize("direction", short_or_full(["down"], ["up", "down"]))
def test_a_consumer_notices_a_silent_network_by_its_heartbeat(lines, direction):
    world, _, to_consumer = lines
    before = reconnects("book", "consumer")
    to_consumer.silence(direction)
    ledger.post_many(world.till, 300, prefix="silent")
    eventually(lambda: reconnects("book", "consumer") > before, within_s=CONSUMER_NOTICES_S + 10)
    to_consumer.heal()
    oracle.agree(world.till, world.book, within_s=30)


@pytest.mark.case("F09")
def test_connections_reset_again_and_again_lose_nothing_and_leak_nothing(lines):
    world, *networks = lines
    seconds, every_s, wanted = short_or_full((3, 0.5, 5), (15, 2, 10))
    before = reconnects("till", "relay") + reconnects("book", "consumer")
    held = []
    for _ in range(2):  # the first round fills every pool; the second may add nothing
        with ledger.tills(world.till, writers=2) as posted:
            end = time.monotonic() + seconds
            while (now := time.monotonic()) < end:
                for network in networks:
                    network.reset()
                eventually(lambda now=now: time.monotonic() > now + every_s, every_s=0.02)
        assert not posted.failed
        assert posted.done > 0
        oracle.agree(world.till, world.book, within_s=40)
        held.append((threading.active_count(), len(list(Path("/proc/self/fd").iterdir()))))
    assert reconnects("till", "relay") + reconnects("book", "consumer") - before >= wanted
    (threads, descriptors), (threads_after, descriptors_after) = held
    assert threads_after <= threads + 1
    assert descriptors_after <= descriptors + 6


@pytest.mark.case("F10")
def test_a_network_of_two_hundred_milliseconds_costs_latency_not_throughput(lines):
    """One publication at a time would reach 2.5 events a second; the window reaches hundreds."""
    world, to_relay, _ = lines
    to_relay.delay_s = 0.2
    events = short_or_full(2_000, 6_000)
    ledger.post_many(world.till, events, prefix="far")
    started = time.monotonic()
    eventually(lambda: entries(world) == 20 + events, within_s=events / 100)
    rate = events / (time.monotonic() - started)
    print(f"{rate:.0f} events a second over 200 ms each way")
    assert rate >= short_or_full(150, 500)
    oracle.agree(world.till, world.book)
