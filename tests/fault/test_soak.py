"""Months pass at a steady rate, and what the mechanism keeps does not grow: tables, memory, descriptors.

A simulated month lasts APOTHECA_SOAK_MONTH_S seconds; APOTHECA_SOAK_MONTHS of them pass at APOTHECA_SOAK_EVENTS_S events
a second. `make soak` runs the long form.
"""

import os
import threading
import time
from datetime import date
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text

from shared import archiving
from shared.clock import next_month
from shared.database import Database
from tests.support import ledger_service as ledger
from tests.support.eventually import eventually

MONTHS = int(os.environ.get("APOTHECA_SOAK_MONTHS", "20"))
MONTH_S = float(os.environ.get("APOTHECA_SOAK_MONTH_S", "1"))
EVENTS_S = int(os.environ.get("APOTHECA_SOAK_EVENTS_S", "100"))
KEPT_MONTHS = 2
WARM_MONTHS = max(4, MONTHS // 4)
RSS_GROWTH_MAX = 1.05
RSS_GROWTH_MIN_KB = 4_096
"""Less than that is a heap that settles, however long it goes on."""
DEAD_SHARE_MAX = 0.2
FIRST_MONTH = date(2020, 1, 1)


def memory_kb(pid: int) -> int:
    line = next(each for each in Path(f"/proc/{pid}/status").read_text().splitlines() if "VmRSS" in each)
    return int(line.split()[1])


def descriptors(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def begins(database: Database, month: date) -> None:
    """From now on events are recorded in `month`."""
    for statement in (
        f"select ensure_log_month('{month}')",
        f"select ensure_log_month('{next_month(month)}')",
        f"alter table outbox alter column month set default '{month}'",
    ):
        with database.begin() as conn:
            conn.execute(text(statement))


def post_for(database: Database, seconds: float, prefix: str) -> int:
    """Post EVENTS_S events a second, ten transactions a second; returns how many."""
    ends_at, posted = time.monotonic() + seconds, 0
    pause = threading.Event()
    while (now := time.monotonic()) < ends_at:
        with database.begin() as conn:
            tx = ledger.tx_on(conn)
            for number in range(EVENTS_S // 10):
                ledger.post(tx, f"{prefix}{(posted + number) % 500}", number)
        posted += EVENTS_S // 10
        pause.wait(max(0.0, 0.1 - (time.monotonic() - now)))
    return posted


def archived(world: ledger.World, month: date) -> None:
    with world.till.begin() as conn:
        for due in archiving.due(conn, ledger.TILL, month, KEPT_MONTHS):
            if not due.waits_for:
                archiving.archive_month(conn, ledger.TILL, Path(world.till_settings.archive or ""), due)


@pytest.fixture
def vacuumed_often(postgres):
    """Months pass in seconds: so does the time between two looks of autovacuum."""
    url = postgres.create_database()
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as conn:
        conn.execute("alter system set autovacuum_naptime = '1s'")
        conn.execute("select pg_reload_conf()")
        yield
        conn.execute("alter system reset autovacuum_naptime")
        conn.execute("select pg_reload_conf()")
    postgres.drop_database(url)


@pytest.mark.requirement("X3")
@pytest.mark.case("F33")
def test_years_of_events_leave_tables_memory_and_descriptors_flat(open_world, vacuumed_often):
    world = open_world("feed")
    processes = [world.start("relay"), world.start("consumer")]
    month, posted, live_max = FIRST_MONTH, 0, 0
    warm: list[tuple[int, int]] = []
    for number in range(MONTHS):
        begins(world.till, month)
        posted += post_for(world.till, MONTH_S, f"m{number}-")
        archived(world, month)
        if number == WARM_MONTHS:
            warm = [(memory_kb(process.pid), descriptors(process.pid)) for process in processes]
        with world.till.begin() as conn:
            live_max = max(live_max, conn.execute(text("select count(*) from outbox")).scalar_one())
        month = next_month(month)
    now = [(memory_kb(process.pid), descriptors(process.pid)) for process in processes]
    assert live_max <= posted / MONTHS * (KEPT_MONTHS + 2) * 1.25, "the log keeps to the months it is to keep"
    for (kb_before, fds_before), (kb, fds) in zip(warm, now, strict=True):
        assert kb <= max(kb_before * RSS_GROWTH_MAX, kb_before + RSS_GROWTH_MIN_KB)
        assert fds <= fds_before + 2
    eventually(lambda: where_events_are(world) == (posted, posted, posted), within_s=30)
    eventually(lambda: dead_share(world.till) < DEAD_SHARE_MAX, within_s=30)


def dead_share(database: Database) -> float:
    with database.begin() as conn:
        live, dead = conn.execute(
            text(
                "select coalesce(sum(n_live_tup), 0), coalesce(sum(n_dead_tup), 0) from pg_stat_user_tables"
                " where relname like 'outbox\\_%' and relname <> 'outbox_head'"
            )
        ).one()
    return float(dead) / max(1.0, float(live + dead))


def where_events_are(world: ledger.World) -> tuple[int, int, int]:
    """How many are in files or database, the last number, and how many were entered."""
    with world.till.begin() as conn:
        kept, last = conn.execute(
            text(
                "select (select coalesce(sum(events), 0) from log_archives) + (select count(*) from outbox),"
                " (select last_seq from outbox_head)"
            )
        ).one()
    with world.book.begin() as conn:
        entered = conn.execute(text("select count(*) from entries")).scalar_one()
    return int(kept), last, entered
