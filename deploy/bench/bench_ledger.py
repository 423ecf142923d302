"""The books over HTTP: figures over one year and over ten, the streamed ledger beside bare Flask; a month's close.

100,000 entries a year: 300,000 lines on 99 accounts. Every second entry is a debt of one of 1,000 customers, none paid
in the last year, all paid in the nine before. For the same work Tryton 8.2 takes 0.58 s (trial balance), 4.2 s (general
ledger), 0.11 s (income statement) and 0.46 s (aged balance); the bounds are a tenth of it.

usage: python -m deploy.bench.run ledger close
"""

import http.client
import logging
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from functools import partial
from statistics import median
from typing import Any
from uuid import uuid4

import orjson
import psycopg
from sqlalchemy import create_engine

from apotheca import processes
from deploy.bench import ledger_data, load_sales
from deploy.bench.servers import Bench, bare_web, peak_rss_mb
from finance.balances import store
from shared import chain, migrations
from shared.service import load
from tests.support import quiet

ROUNDS = 5
CALLS, WARM_UP = 20, 12
ENTRIES = 100_000
BRANCHES = 10
YEAR = 2025
HISTORY_YEARS = 9
RECEIPTS, SHOPS, UPLOAD = 200_000, 100, 20_000
SILENT = ("customers_silent", "returns_silent")
MONTH = f"{YEAR}-12"
PATHS = {
    "trial balance of a month": (f"/v1/trial-balances/{MONTH}", 58),
    "general ledger of a month, NDJSON": (f"/v1/general-ledgers/{MONTH}/ndjson", 420),
    "income statement of a year": (f"/v1/income-statements?from_month={YEAR}-01&until_month={MONTH}", 11),
    "aged balance": (f"/v1/ageing-reports?as_of={YEAR}-12-31", 46),
}
NOT_OF_A_MONTH = {"income statement of a year"}
"""Its bound holds with any history; that a longer one costs no more is promised of a month's figures."""
CSV_PATH = f"/v1/general-ledgers/{MONTH}/csv"
BARE_PATH = f"/general?first={YEAR}-12-01&until={YEAR + 1}-01-01"


def run(bench: Bench, *, rounds: int = ROUNDS) -> Iterator[dict[str, Any]]:
    """Yield one result per path: what, ours (ms), and its bound; ratios beside the bare program and the short history."""
    with _silent_sources(bench):
        yield from _measured(bench, rounds)


def close(bench: Bench, *, rounds: int = 1) -> Iterator[dict[str, Any]]:
    """Yield what the close of a month of 200,000 receipts takes beside PostgreSQL alone; it can be closed once."""
    del rounds
    with _silent_sources(bench):
        yield from _close_of_many_branches(bench)


@contextmanager
def _silent_sources(bench: Bench) -> Iterator[None]:
    bench.url("finance")
    # serves the silent ones, and would tell of each question
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    # made by who may make their roles, as in tests
    for name in SILENT:
        _empty_database(bench, name)
    silent = (bench.postgres.url(name) for name in SILENT)
    with quiet.sources(partial(next, silent), bench.folder / "quiet"):
        yield


def _measured(bench: Bench, rounds: int) -> Iterator[dict[str, Any]]:
    one, ten = _database(bench, "one_year"), _database(bench, "ten_years")
    _load(one, [YEAR])
    _load(ten, [*range(YEAR - HISTORY_YEARS, YEAR), YEAR])
    _require_size(one)
    for url in (one, ten):
        with _closing(bench, url):
            _close_all_but_december(bench, url)
    short: dict[str, list[float]] = {name: [] for name in PATHS}
    long: dict[str, list[float]] = {name: [] for name in PATHS}
    ours, bare = [], []
    web_mb = database_mb = 0
    token = _token(bench)
    for _ in range(rounds):
        with (
            _web(bench, one) as (address, web),
            _web(bench, ten) as (ten_at, _),
            bare_web("bare_ledger", one.replace("+psycopg", "")) as bare_at,
        ):
            for name, (path, _) in PATHS.items():
                of_one, of_ten = _taken_ms([(address, path), (ten_at, path)], token)
                short[name] += of_one
                long[name] += of_ten
            mine, theirs = _taken_ms([(address, CSV_PATH), (bare_at, BARE_PATH)], token)
            ours, bare = ours + mine, bare + theirs
            web_mb = max(web_mb, peak_rss_mb(web.pid))
            database_mb = max(database_mb, bench.database_mb())
    for name, (_, at_most) in PATHS.items():
        yield {"what": f"{name}, ms", "ours": median(short[name]), "at_most": at_most}
    yield {"what": "memory of web, MB", "ours": web_mb}
    yield {"what": "memory of the database server, shared memory once, MB", "ours": database_mb}
    yield {
        "what": "general ledger of a month as CSV, ms",
        "ours": median(ours),
        "bare": median(bare),
        "ratio": _ratio(bare, ours),
        "floor": 0.5,
    }
    for name, (_, at_most) in PATHS.items():
        yield {
            "what": f"{name}, history ten times larger, ms",
            "ours": median(long[name]),
            "beside": "one year",
            "bare": median(short[name]),
            "ratio": _ratio(short[name], long[name]),
            "floor": 0 if name in NOT_OF_A_MONTH else 0.91,
            "at_most": at_most,
        }
    yield from _statements(bench, one)


def _statements(bench: Bench, url: str) -> Iterator[dict[str, Any]]:
    """Prepare and freeze the statements of five closed months; the first that tells cash reads the months before it.

    Each month is proved from the journal, too.
    """
    with bench.process("finance", "web", transport="feed", DATABASE_URL=url) as web:
        for kind in ("balance", "income", "cashflow"):
            taken_ms, proved_ms = [], []
            for month in range(7, 12):
                body = orjson.dumps({"kind": kind, "span": "month", "month": f"{YEAR}-{month:02d}"})
                started = time.perf_counter()
                made = orjson.loads(_post(bench, "/v1/financial-statements", body, role="accountant"))
                taken_ms.append((time.perf_counter() - started) * 1000)
                proved_ms.append(_proved_ms(bench, made["statement_id"]))
            yield {
                "what": f"preparing the {kind} statement of a month, ms",
                "ours": median(taken_ms),
                "first": f"{taken_ms[0]:.0f}",
                "memory_mb": peak_rss_mb(web.pid),
            }
            yield {"what": f"proving the {kind} statement of a month, ms", "ours": median(proved_ms)}


def _proved_ms(bench: Bench, statement_id: str) -> float:
    """Raises RuntimeError unless the proof agrees."""
    connection = http.client.HTTPConnection(_address(bench))
    started = time.perf_counter()
    path = f"/v1/financial-statement-proofs/{statement_id}"
    connection.request("GET", path, headers={"Authorization": f"Bearer {_token(bench)}"})
    found = orjson.loads(connection.getresponse().read())
    taken_ms = (time.perf_counter() - started) * 1000
    connection.close()
    if not found.get("agrees"):
        raise RuntimeError(f"the proof differs: {found}")
    return taken_ms


def _ratio(theirs: list[float], ours: list[float]) -> float:
    """The median over calls made in turn, pair by pair, so that a busy machine is busy for both."""
    return round(median(their / our for their, our in zip(theirs, ours, strict=True)), 2)


def _empty_database(bench: Bench, name: str) -> str:
    bench.postgres.ensure_database(name, "finance", "bench")
    return bench.postgres.url(name, "finance", "bench")


def _database(bench: Bench, name: str) -> str:
    url = _empty_database(bench, name)
    migrations.upgrade(load("finance"), url)
    return url


def _connect(url: str) -> "psycopg.Connection[Any]":
    return psycopg.connect(url.replace("+psycopg", ""), autocommit=True)


def _load(url: str, years: list[int]) -> None:
    with _connect(url) as conn:
        for year in years:
            ledger_data.year(conn, year, entries=ENTRIES, branches=BRANCHES, paid=year != YEAR)
        conn.execute("vacuum analyze")


def _require_size(url: str) -> None:
    """Raises RuntimeError unless the year is as large as the module says."""
    with _connect(url) as conn:
        found = conn.execute(
            "select (select count(*) from journal_entries), count(*), count(distinct account),"
            " count(distinct customer_id), count(*) filter (where booked_on >= %s) from journal_lines",
            (date(YEAR, 12, 1),),
        ).fetchone()
    if found != (ENTRIES, 3 * ENTRIES, ledger_data.ACCOUNTS, ledger_data.CUSTOMERS, 25_002):
        raise RuntimeError(f"entries, lines, accounts, customers, lines of the month: {found}")


def _close_all_but_december(bench: Bench, url: str) -> None:
    with _connect(url) as conn:
        months = [
            row[0] for row in conn.execute("select month from periods where state = 'open' order by month")
        ]
    for month in months:
        if month >= date(YEAR, 12, 1):
            break
        if month.month == 12:
            _post(bench, f"/v1/fiscal-years/{month.year}/transfer")
            with _connect(url) as conn:
                ledger_data.seal(conn, month)
        _post(bench, f"/v1/periods/{month:%Y-%m}/close")
    with _connect(url) as conn:
        conn.execute("vacuum analyze")


def _close_of_many_branches(bench: Bench) -> Iterator[dict[str, Any]]:
    """Receipts are uploaded as tills upload them; nothing is numbered or chained before the clock starts."""
    url = _database(bench, "many_branches")
    with bench.process("finance", "web", transport="feed", DATABASE_URL=url):
        for first in range(0, RECEIPTS, UPLOAD):
            _upload(bench, first)
    with _connect(url) as conn:
        conn.execute("vacuum analyze")
    engine = create_engine(url)
    started = time.perf_counter()
    while True:
        with engine.begin() as connection:
            if not chain.seal(connection, store.CHAIN):
                break
    sealing_s = time.perf_counter() - started
    engine.dispose()
    with _closing(bench, url) as web:
        started = time.perf_counter()
        _post(bench, f"/v1/periods/{YEAR}-01/close")
        taken_s = time.perf_counter() - started
        memory_mb = peak_rss_mb(web.pid)
    numbering_s, sums_s = _plain_numbering_s(url), _plain_sums_s(url)
    yield {
        "what": "numbering and chaining, entries/s",
        "ours": RECEIPTS / sealing_s,
        "beside": "one plain UPDATE",
        "bare": RECEIPTS / numbering_s,
        "ratio": round(numbering_s / sealing_s, 2),
        "floor": 0.3,
    }
    month = f"month close of {SHOPS} branches, {RECEIPTS:,} receipts"
    yield {
        "what": f"{month}, ms",
        "ours": taken_s * 1000,
        "beside": "one plain sum of its lines",
        "bare": sums_s * 1000,
        "ratio": round(sums_s / taken_s, 2),
        # of a few hundred ms, of which the checks of all areas take a third: 0.29 on a quiet machine
        "floor": 0.25,
        "memory_mb": memory_mb,
    }
    yield {
        "what": f"{month}, none sealed, ms",
        "ours": (sealing_s + taken_s) * 1000,
        "beside": "that UPDATE and sum",
        "bare": (numbering_s + sums_s) * 1000,
        "ratio": round((numbering_s + sums_s) / (sealing_s + taken_s), 2),
        "floor": 0.35,
    }


def _plain_numbering_s(url: str) -> float:
    """How long PostgreSQL takes to number as many rows, with as many indexes, and nothing else.

    No lines are read, nothing is chained or folded into balances, no trigger guards anything.
    """
    with _connect(url) as conn:
        conn.execute(
            "create table plain as select id, booked_on, stream, branch_id, kind, source_id, total_fen, reference,"
            " corrects_id, actor, recorded_at, null::bigint as chain_no, null::bytea as chain_hash"
            " from journal_entries"
        )
        conn.execute("alter table plain add primary key (id, booked_on)")
        conn.execute("create index on plain (id) where chain_no is null")
        conn.execute("create unique index on plain (source_id, kind, booked_on)")
        conn.execute("create unique index on plain (stream, chain_no, booked_on) where chain_no is not null")
        conn.execute("vacuum analyze plain")
        started = time.perf_counter()
        conn.execute(
            "update plain t set chain_no = s.n, chain_hash = sha256(t.id::text::bytea)"
            " from (select id, booked_on, row_number() over (order by id) as n from plain) s"
            " where t.id = s.id and t.booked_on = s.booked_on"
        )
        taken_s = time.perf_counter() - started
        conn.execute("drop table plain")
    return taken_s


def _plain_sums_s(url: str) -> float:
    """How long PostgreSQL takes to sum the month's lines by account, branch and day once, and nothing else."""
    with _connect(url) as conn:
        started = time.perf_counter()
        conn.execute(
            "select account, branch_id, booked_on, sum(debit_fen), sum(credit_fen) from journal_lines"
            " where booked_on >= %s and booked_on < %s group by 1, 2, 3",
            (date(YEAR, 1, 1), date(YEAR, 2, 1)),
        )
        return time.perf_counter() - started


def _upload(bench: Bench, first: int) -> None:
    """UPLOAD receipts of the month, spread over its days and SHOPS branches."""
    receipts = (
        load_sales.receipt(number)
        | {
            "branch_id": f"B{number % SHOPS:03d}",
            "sold_at": f"{YEAR}-01-{1 + number % 31:02d}T04:00:00Z",
            "late": True,
        }
        for number in range(first, first + UPLOAD)
    )
    body = b"\n".join(orjson.dumps(each) for each in receipts)
    connection = http.client.HTTPConnection(_address(bench), timeout=600)
    token = bench.issuer.token("bench", ["till"])
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/x-ndjson"}
    connection.request("POST", "/v1/sales/bulk", body, headers)
    answer = connection.getresponse().read()
    connection.close()
    if answer.count(b'"posted"') != UPLOAD:
        raise RuntimeError(f"not every receipt was posted: {answer[:500]!r}")


# --- the caller's side ------------------------------------------------------------------------------


def _address(bench: Bench) -> str:
    return bench.address("finance").removeprefix("http://")


def _token(bench: Bench) -> str:
    return bench.issuer.token("bench", ["finance_head"])


def _taken_ms(asked: list[tuple[str, str]], token: str) -> list[list[float]]:
    """Milliseconds of CALLS calls of each (address, path), in turn, so that a busy machine is busy for all of them."""
    connections = [http.client.HTTPConnection(address) for address, _ in asked]
    taken_ms: list[list[float]] = [[] for _ in asked]
    for _ in range(WARM_UP + CALLS):
        for at, (connection, (_, path)) in enumerate(zip(connections, asked, strict=True)):
            started = time.perf_counter()
            connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
            answer = connection.getresponse()
            body = answer.read()
            taken_ms[at].append((time.perf_counter() - started) * 1000)
            if answer.status != 200:
                raise RuntimeError(f"{path} answered {answer.status}: {body[:500]!r}")
    for connection in connections:
        connection.close()
    return [each[WARM_UP:] for each in taken_ms]


def _post(bench: Bench, path: str, body: bytes = b"{}", *, role: str = "finance_head") -> bytes:
    connection = http.client.HTTPConnection(_address(bench), timeout=120)
    headers = {
        "Authorization": f"Bearer {bench.issuer.token('bench', [role])}",
        "Idempotency-Key": str(uuid4()),
        "Content-Type": "application/json",
    }
    connection.request("POST", path, body, headers)
    answer = connection.getresponse()
    told = answer.read()
    connection.close()
    if answer.status >= 300:
        raise RuntimeError(f"{path} answered {answer.status}: {told[:500]!r}")
    return told


@contextmanager
def _closing(bench: Bench, url: str) -> "Iterator[subprocess.Popen[bytes]]":
    """A web process that may close months: customers and returns are asked, and have nothing to tell."""
    feeds = ",".join(f"{name}={address}" for name, address in quiet.feeds.items())
    options = {"DATABASE_URL": url, "FEEDS": feeds, "FEED_TOKEN": quiet.token[0]}
    with bench.process("finance", "web", transport="feed", **options) as web:
        yield web


@contextmanager
def _web(bench: Bench, url: str) -> "Iterator[tuple[str, subprocess.Popen[bytes]]]":
    """A web process over one of our databases, on a port of its own."""
    port = processes.free_port()
    with bench.process("finance", "web", transport="feed", DATABASE_URL=url, PORT=str(port)) as web:
        yield f"127.0.0.1:{port}", web
