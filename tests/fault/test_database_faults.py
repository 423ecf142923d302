"""F13, F14, F25: a database dies under load, is away for a while, or is held by somebody else's long transaction."""

import statistics
import threading
import time
from contextlib import contextmanager

import pytest
from sqlalchemy.exc import DBAPIError

from shared import topology
from shared.database import Database
from tests.support import ledger_oracle as oracle
from tests.support import ledger_service as ledger
from tests.support import queues
from tests.support.eventually import eventually
from tests.support.length import short_or_full
from tests.support.postgres_that_dies import mortal_postgres

pytestmark = pytest.mark.requirement("X3")


@pytest.fixture
def mortal(make_folder):
    with mortal_postgres(make_folder()) as server:
        yield server


@pytest.fixture
def apart(mortal, postgres, rabbitmq, tmp_path):
    """Call it with `till` or `book`: a world whose named half lies on the server that dies."""

    @contextmanager
    def opened(half):
        vhost = rabbitmq.vhost()
        queues.declare(ledger.BOOK, vhost)
        safe = postgres.create_database()
        dying = mortal.create_database("dying")
        urls = (dying, safe) if half == "till" else (safe, dying)
        with ledger.world(*urls, tmp_path, transport="amqp", amqp_url=vhost) as world:
            yield world
        postgres.drop_database(safe)

    return opened


@contextmanager
def acknowledged_slips(database: Database, writers: int = 3):
    """Post slips of distinct names until the end; yields the set of those whose commit was answered."""
    acknowledged, stop = set(), threading.Event()

    def write(writer: int) -> None:
        number = 0
        while not stop.is_set():
            number += 1
            name = f"a{writer}-{number}"
            try:
                with database.begin() as conn:
                    ledger.post(ledger.tx_on(conn), name, 100)
            except DBAPIError:
                stop.wait(0.02)  # the server is away; what was not answered may be there or not
            else:
                acknowledged.add(name)
            stop.wait(0.003)

    threads = [threading.Thread(target=write, args=(each,)) for each in range(writers)]
    for thread in threads:
        thread.start()
    try:
        yield acknowledged
    finally:
        stop.set()
        for thread in threads:
            thread.join()


@pytest.mark.case("F13")
def test_every_acknowledged_write_survives_the_death_of_the_producers_database(apart, mortal):
    with apart("till") as world:
        world.start("relay")
        world.start("relay")
        world.start("consumer")
        with acknowledged_slips(world.till) as acknowledged:
            for _ in range(short_or_full(2, 5)):
                wanted = len(acknowledged) + 100
                eventually(lambda wanted=wanted: len(acknowledged) > wanted, within_s=30)
                mortal.kill()
                mortal.start()
                back = time.monotonic()
                wanted = len(acknowledged) + 20
                eventually(lambda wanted=wanted: len(acknowledged) > wanted, within_s=30)
                numbered = _numbered(world)
                eventually(lambda numbered=numbered: _numbered(world) > numbered, within_s=15)
                assert time.monotonic() - back < 15, "no relay took over"
        oracle.agree(world.till, world.book, within_s=40)
        with world.till.begin() as conn:
            kept = set(conn.exec_driver_sql("select slip_id from slips").scalars())
            told = set(conn.exec_driver_sql("select subject from outbox").scalars())
        assert acknowledged <= kept
        assert kept == told


def _numbered(world) -> int:
    try:
        with world.till.begin() as conn:
            return conn.exec_driver_sql("select coalesce(max(last_seq), 0) from outbox_head").scalar_one()
    except DBAPIError:
        return -1


@pytest.mark.case("F14")
@pytest.mark.parametrize("fault", ["killed", "paused"])
def test_nothing_is_acknowledged_that_a_consumers_database_did_not_commit(apart, mortal, fault):
    """However it is away: dead, or alive and silent."""
    with apart("book") as world:
        amqp_url = world.book_settings.amqp_url
        world.start("relay")
        consumer = world.start("consumer")
        ledger.post_many(world.till, 200)
        eventually(lambda: _entries(world) == 200, within_s=30)
        if fault == "killed":
            mortal.kill()
        else:
            mortal.pause()
        ledger.post_many(world.till, 500, prefix="meanwhile")
        away_s = short_or_full(4, 30)
        since = time.monotonic()
        eventually(lambda: time.monotonic() - since > away_s, within_s=away_s + 1)
        assert consumer.is_alive()
        if fault == "killed":
            mortal.start()
        else:
            mortal.resume()
        oracle.agree(world.till, world.book, within_s=60)
        assert queues.depth(amqp_url, topology.dead_queue("book")) == 0


def _entries(world) -> int:
    with world.book.begin() as conn:
        return conn.exec_driver_sql("select count(*) from entries").scalar_one()


@pytest.mark.case("F25")
def test_a_long_transaction_in_another_services_database_does_not_hold_the_relay_up(open_world):
    """A numbering that waited for the oldest transaction of the server would stand still for all its length."""
    world = open_world("amqp")
    world.start("relay")
    ledger.post_many(world.till, 10, prefix="warm")
    eventually(lambda: _confirmed(world) == 10)
    free = _seconds_to_confirm(world, "free")
    with world.book.begin() as held:
        held.exec_driver_sql(
            "insert into entries (source, seq, type, day, amount_fen) values ('x', 1, 'x', now(), 0)"
        )
        under = _seconds_to_confirm(world, "held")
        held.rollback()
    assert statistics.median(under) <= statistics.median(free) * short_or_full(3, 1.2) + 0.05
    assert max(under) < 5


def _seconds_to_confirm(world, prefix) -> list[float]:
    taken = []
    for number in range(short_or_full(20, 200)):
        wanted = _confirmed(world) + 1
        began = time.monotonic()
        ledger.post_many(world.till, 1, prefix=f"{prefix}{number}-")
        eventually(lambda wanted=wanted: _confirmed(world) >= wanted, every_s=0.002)
        taken.append(time.monotonic() - began)
    return taken


def _confirmed(world) -> int:
    with world.till.begin() as conn:
        return conn.exec_driver_sql("select confirmed_seq from relay_cursor").scalar() or 0
