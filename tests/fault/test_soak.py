"""Months pass at a steady rate, and what the mechanism keeps does not grow: tables, memory, descriptors.

A simulated month lasts APOTHECA_SOAK_MONTH_S seconds; APOTHECA_SOAK_MONTHS of them pass at APOTHECA_SOAK_EVENTS_S events
a second. `make soak` runs the long form.
"""

import os
import threading
import time
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Connection, text

from apotheca.processes import free_port
from shared import archiving, audit, chain_archive, row_log, upkeep, verification
from shared.chain_months import TABLES
from shared.clock import next_month
from shared.database import Database
from shared.pruning import MARGIN_S
from tests.support import ledger_service as ledger
from tests.support.eventually import eventually
from tests.support.processes import family_of
from tests.support.roles import behind, owner_of
from tests.support.sealing import settle

MONTHS = int(os.environ.get("APOTHECA_SOAK_MONTHS", "20"))
MONTH_S = float(os.environ.get("APOTHECA_SOAK_MONTH_S", "1"))
EVENTS_S = int(os.environ.get("APOTHECA_SOAK_EVENTS_S", "100"))
KEPT_MONTHS = 2
WARM_MONTHS = max(4, MONTHS // 4)
RSS_GROWTH_MAX = 1.05
RSS_GROWTH_MIN_KB = 4_096
"""Less than that is a heap that settles, however long it goes on."""
DEAD_SHARE_MAX = 0.25
DEAD_ROWS_MAX = 100
"""What PostgreSQL leaves alone: a fifth of a table and 50 rows, with room."""
FIRST_MONTH = date(2020, 1, 1)
LIVE = ("outbox", "audit", "row_log", "idempotency_keys")
"""Tables that grow with every command unless something takes old rows away."""
KEPT_ANSWER = text(
    "insert into idempotency_keys (key, actor, route, body_hash, status, response, created_at)"
    " values (:key, 'till', '/slips', '', 201, '{}', :now)"
)


def noon(month: date) -> datetime:
    return datetime(month.year, month.month, 15, 12, tzinfo=UTC)


def memory_kb(pid: int) -> int:
    line = next(each for each in Path(f"/proc/{pid}/status").read_text().splitlines() if "VmRSS" in each)
    return int(line.split()[1])


def descriptors(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def begins(database: Database, month: date) -> None:
    """From now on events, audit and rows are recorded in `month`, which the service makes as its job does."""
    for statement in (
        *(
            f"select ensure_chain_month('{table}', '{each}')"
            for table in TABLES
            for each in (month, next_month(month))
        ),
        f"select ensure_log_month('{month}')",
        f"select ensure_log_month('{next_month(month)}')",
    ):
        eventually(lambda sql=statement: _done(database.begin(), sql))
    for statement in (
        f"alter table row_log alter column stream set default '{month:%Y-%m}'",
        f"alter table outbox alter column month set default '{month}'",
    ):
        eventually(lambda sql=statement: _done(behind(database), sql))


def _done(begun: AbstractContextManager[Connection], statement: str) -> bool:
    """What meets a transaction that holds what it wants is tried again."""
    with begun as conn:
        conn.execute(text(statement))
    return True


def post_for(database: Database, month: date, seconds: float, prefix: str) -> int:
    """Post EVENTS_S events a second, ten transactions a second, each audited and its answer kept; returns how many."""
    ends_at, posted = time.monotonic() + seconds, 0
    pause = threading.Event()
    while (now := time.monotonic()) < ends_at:
        with database.begin() as conn:
            tx = replace(ledger.tx_on(conn), now=noon(month))
            conn.execute(KEPT_ANSWER, {"key": f"{prefix}{posted}", "now": noon(month)})
            for number in range(EVENTS_S // 10):
                slip = f"s{(posted + number) % 500}"
                ledger.post(tx, slip, number)
                audit.record(tx, "slip.post", slip, after=number)
        posted += EVENTS_S // 10
        pause.wait(max(0.0, 0.1 - (time.monotonic() - now)))
    return posted


def archived(world: ledger.World, month: date) -> None:
    with world.till.begin() as conn:
        for due in archiving.due(conn, ledger.TILL, month, KEPT_MONTHS):
            if not due.waits_for:
                archiving.archive_month(conn, ledger.TILL, Path(world.till_settings.archive or ""), due)
    settings = replace(world.till_settings, audit_kept_months=KEPT_MONTHS)
    done = 1
    while done:
        with world.till.begin() as conn:
            tx = replace(ledger.tx_on(conn), now=noon(month))
            done = upkeep.archive_chains(tx, ledger.TILL, settings)
            done += upkeep.prune_idempotency_keys(tx, 30)


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
    with world.till.begin() as conn:
        assert conn.execute(text("select current_user")).scalar_one() == "till", "as in a deployment"
    owner = Database(owner_of(world.till.url), pool_size=1)
    with owner.begin() as conn:
        row_log.install(conn, list(ledger.TILL.metadata.tables.values()))
    owner.dispose()
    pids = started(world)
    month, posted, live_max = FIRST_MONTH, 0, 0
    warm: list[tuple[int, int]] = []
    sizes: list[dict[str, int]] = []
    for number in range(MONTHS):
        begins(world.till, month)
        posted += post_for(world.till, month, MONTH_S, f"m{number}-")
        archived(world, month)
        if number == WARM_MONTHS:
            warm = [(memory_kb(pid), descriptors(pid)) for pid in pids.values()]
        with world.till.begin() as conn:
            live_max = max(live_max, conn.execute(text("select count(*) from outbox")).scalar_one())
            live = {each: rows_of(conn, each) for each in LIVE}
            sizes.append({f"{each} kb": kb_of(conn, each) for each in LIVE} | live)
        using = {role: memory_kb(pid) for role, pid in pids.items()}
        print(month, f"kB: {using}", sizes[-1], flush=True)  # shown when it fails, or by -s
        month = next_month(month)
    now = [(memory_kb(pid), descriptors(pid)) for pid in pids.values()]
    assert live_max <= posted / MONTHS * (KEPT_MONTHS + 2) * 1.25, "the log keeps to the months it is to keep"
    for role, (kb_before, fds_before), (kb, fds) in zip(pids, warm, now, strict=True):
        assert kb <= max(kb_before * RSS_GROWTH_MAX, kb_before + RSS_GROWTH_MIN_KB), role
        assert fds <= fds_before + 2, role
    for each in LIVE:
        before, after = sizes[WARM_MONTHS], sizes[-1]
        assert after[each] <= before[each] * 1.5 + EVENTS_S * 10, (
            f"rows of {each}: {before[each]}, {after[each]}"
        )
        assert after[f"{each} kb"] <= before[f"{each} kb"] * 1.5 + 1_024, f"size of {each}"
    everything_is_still_proved(world, posted)
    with world.book.begin() as conn:
        assert rows_of(conn, "inbox") <= EVENTS_S * (2 * MARGIN_S + 120) * 1.25
    eventually(lambda: where_events_are(world) == (posted, posted, posted), within_s=30)
    eventually(lambda: left_dead(world.till) == {}, within_s=30)


def started(world: ledger.World) -> dict[str, int]:
    """The processes of a deployment by role, with their ids; the consumer reads what the till's web process serves."""
    port = free_port()
    world.till_settings = replace(world.till_settings, port=port)
    world.book_settings = replace(world.book_settings, feeds={"till": f"http://127.0.0.1:{port}"})
    master = world.start("web")
    # it makes its one worker once it has everything
    (worker,) = eventually(lambda: family_of(master.pid), within_s=30)
    others = {role: world.start(role).pid for role in ("relay", "consumer", "scheduler")}
    return {"web's master": master.pid, "web": worker, **others}


def everything_is_still_proved(world: ledger.World, posted: int) -> None:
    """The audit of every event, in files and database, and no finding in any table."""
    settle(world.till, ledger.TILL)
    found = dict(verification.verify(world.till, ledger.TILL, world.till_settings))
    assert {each: faults for each, faults in found.items() if faults} == {}
    with world.till.begin() as conn:
        filed = sum(each.last_no - each.first_no + 1 for each in chain_archive.archived(conn, "audit"))
        assert filed + rows_of(conn, "audit") == posted


def rows_of(conn: Connection, table: str) -> int:
    return int(conn.execute(text(f"select count(*) from {table}")).scalar_one())


def kb_of(conn: Connection, table: str) -> int:
    """A table with its partitions, indexes and long values, without what the log of rows carries of the books."""
    return int(
        conn.execute(
            text(
                "select coalesce(sum(pg_total_relation_size(relid)), 0) / 1024 from pg_stat_user_tables"
                " where relname ~ ('^' || :table || '(_y.*|_default)?$')"
            ),
            {"table": table},
        ).scalar_one()
    )


def left_dead(database: Database) -> dict[str, tuple[int, int]]:
    """Live and dead rows of each table of LIVE and its parts with more dead ones than autovacuum leaves alone."""
    with database.begin() as conn:
        rows = conn.execute(
            text(
                "select relname, n_live_tup, n_dead_tup from pg_stat_user_tables where relname ~ :names"
                " and n_dead_tup > :rows + :share * n_live_tup"
            ),
            {"names": f"^({'|'.join(LIVE)})(_y|_default|$)", "rows": DEAD_ROWS_MAX, "share": DEAD_SHARE_MAX},
        )
        return {row.relname: (row.n_live_tup, row.n_dead_tup) for row in rows}


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
