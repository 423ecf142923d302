"""A database that falls silent without closing anything is noticed in bounded time, and a slow one is left alone."""

import threading
import time
from dataclasses import replace

import httpx
import pytest
import sqlalchemy
from sqlalchemy import text

from shared import leadership, postgres
from shared.database import Database
from shared.leadership import Leadership
from shared.relay import run as run_relay
from tests.support import ledger_service as ledger
from tests.support.blackhole import Blackhole
from tests.support.eventually import eventually

SILENCE_S = 1.0
NOTICED_WITHIN_S = 15.0
"""Silence, the probe's connection (libpq takes 2 s at least), its answer, and what a busy machine adds."""


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(postgres, "SILENCE_S", SILENCE_S)
    monkeypatch.setitem(postgres.ARGUMENTS, "connect_timeout", 2)
    monkeypatch.setattr(leadership, "SILENT_S", 4)


@pytest.fixture
def world(open_world):
    return open_world("feed")


def last_number(world):
    with world.till.begin() as conn:
        return conn.execute(text("select last_seq from outbox_head")).scalar()


@pytest.fixture
def silent(world):
    with Blackhole(world.till.url) as way:
        yield way


def test_a_request_is_refused_in_time_and_the_pool_works_again_afterwards(world, silent):
    settings = replace(world.till_settings, database_url=silent.url)
    token = world.issuer.token("book", ["feed"])
    with ledger.served(ledger.TILL, settings) as address:
        client = httpx.Client(
            base_url=address, headers={"Authorization": f"Bearer {token}"}, trust_env=False, timeout=60
        )
        assert client.get("/internal/head").status_code == 200
        silent.swallow()
        started = time.monotonic()
        refused = client.get("/internal/head")
        assert (refused.status_code, refused.json()["code"]) == (503, "database_unavailable")
        assert time.monotonic() - started < NOTICED_WITHIN_S
        silent.heal()
        assert eventually(lambda: client.get("/internal/head").status_code == 200, within_s=NOTICED_WITHIN_S)
        client.close()


def test_a_statement_that_takes_its_time_is_not_taken_for_a_silent_server(world):
    database = Database(world.till.url, pool_size=1)
    with database.begin() as conn:
        assert conn.execute(text(f"select 1 from pg_sleep({SILENCE_S * 3})")).scalar() == 1
    database.dispose()


def test_an_answer_that_was_lost_is_noticed_while_the_server_is_well(world, silent):
    database = Database(silent.url, pool_size=1)
    with database.engine.connect() as conn:
        conn.execute(text("select 1"))
        silent.swallow()
        silent.heal()  # new connections pass, the old one stays silent
        with pytest.raises(sqlalchemy.exc.OperationalError, match="stopped answering"):
            conn.execute(text("select 1"))
    with database.begin() as conn:
        assert conn.execute(text("select 1")).scalar() == 1
    database.dispose()


def test_a_leader_cut_off_gives_up_and_another_takes_its_duty(world, silent):
    with Leadership(silent.url, "duty") as old, Leadership(world.till.url, "duty") as new:
        assert old.held()
        assert not new.held()
        silent.swallow()
        assert eventually(new.held, within_s=NOTICED_WITHIN_S)
        assert eventually(lambda: not old.held(), within_s=NOTICED_WITHIN_S)


def test_a_relay_cut_off_is_followed_by_the_one_that_stands_by(world, silent):
    stop = threading.Event()
    cut_off = threading.Thread(
        target=run_relay, args=(ledger.TILL, replace(world.till_settings, database_url=silent.url), stop)
    )
    cut_off.start()
    try:
        ledger.post_many(world.till, 1, prefix="before")
        eventually(lambda: last_number(world) == 1)
        with world.here("relay"):
            silent.swallow()
            ledger.post_many(world.till, 1, prefix="after")
            eventually(lambda: last_number(world) == 2, within_s=NOTICED_WITHIN_S * 2)
    finally:
        stop.set()
        cut_off.join(NOTICED_WITHIN_S * 2)
    assert not cut_off.is_alive()


def test_every_connection_has_keepalives_on_both_ends(world, silent):
    with postgres.connect(silent.url) as conn:
        asked = conn.info.get_parameters()
        assert int(asked["tcp_user_timeout"]) == postgres.TCP_USER_TIMEOUT_MS
        assert asked["keepalives_idle"] == str(postgres.KEEPALIVE_IDLE_S)
        assert f"tcp_keepalives_idle={postgres.KEEPALIVE_IDLE_S}" in asked["options"]
    engine = postgres.new_engine(silent.url)
    with engine.connect() as conn:
        driver = conn.connection.driver_connection
        assert isinstance(driver, postgres.WatchedConnection)
        assert int(driver.info.get_parameters()["tcp_user_timeout"]) == postgres.TCP_USER_TIMEOUT_MS
    engine.dispose()
