"""F28: all facts are rebuilt from the producers' logs while selling goes on, and nothing differs afterwards."""

import threading
import time
from datetime import date

import pytest
from sqlalchemy import text

from reporting.app import SERVICE
from reporting.facts.commands.rebuild import rebuild
from reporting.facts.tables import FACT_TABLES
from shared import watermark
from tests.support import facts
from tests.support.length import FULL, short_or_full
from tests.support.reporting_system import System, running
from tests.support.roles import owner_of

pytestmark = [pytest.mark.requirement("X3"), pytest.mark.case("F28")]

EVENTS = short_or_full(3_000, 200_000)
LIVE_PER_S = 100
LAG_S_MAX = 30


@pytest.fixture
def system(postgres, migrated_database, tmp_path):
    with running(postgres, migrated_database("reporting"), tmp_path) as started:
        yield started


def hashes(system: System) -> dict[str, str]:
    with system.database.read() as conn:
        return {
            table.name: conn.execute(
                text(
                    f"select md5(coalesce(string_agg(t::text, ';' order by t::text), '')) from facts.{table.name} t"
                )
            ).scalar_one()
            for table in FACT_TABLES
        }


def sold(first: int, count: int):
    return [
        facts.sale(number, day=date(2017, 1 + number % 6, 1 + number % 28), branch=f"S{number % 7}")
        for number in range(first, first + count)
    ]


def test_a_rebuild_beside_live_events_gives_the_live_tables_and_holds_nobody_up(system):
    for first in range(1, EVENTS + 1, 5_000):
        system.publish(*sold(first, min(5_000, EVENTS + 1 - first)))
    watermark.repair(system.database, SERVICE, system.feeds["finance"], through=EVENTS)
    stop, lags, live = threading.Event(), [], [EVENTS]

    def go_on_selling() -> None:
        while not stop.wait(0.1):
            began = time.monotonic()
            system.publish(*sold(live[0] + 1, LIVE_PER_S // 10))
            live[0] += LIVE_PER_S // 10
            watermark.repair(system.database, SERVICE, system.feeds["finance"], through=live[0])
            lags.append(time.monotonic() - began)

    seller = threading.Thread(target=go_on_selling)
    seller.start()
    began = time.monotonic()
    try:
        rebuild(
            owner_of(system.settings.database_url), SERVICE, list(system.feeds.values()), role="reporting"
        )
        rate = EVENTS / (time.monotonic() - began)
    finally:
        stop.set()
        seller.join()
    print(
        f"rebuilt at {rate:.0f} events a second, {live[0] - EVENTS} sold meanwhile, lag at most {max(lags):.2f} s"
    )
    assert max(lags) < LAG_S_MAX
    assert rate >= (5_000 if FULL else 200)
    lived = hashes(system)
    rebuild(owner_of(system.settings.database_url), SERVICE, list(system.feeds.values()), role="reporting")
    assert hashes(system) == lived
    with system.database.read() as conn:
        assert conn.execute(text("select count(*) from facts.fact_sales")).scalar_one() == live[0]
