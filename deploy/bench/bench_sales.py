"""One sale over HTTP beside bare Flask and SQL; bulk upload beside a bare COPY loader. One machine, one run.

usage: python -m deploy.bench.bench_sales [rounds]
"""

import http.client
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

from deploy.bench import load_sales
from deploy.bench.servers import Bench, bare_web, bench, peak_rss_mb

ROUNDS = 5
LOAD_S = 5.0
RECEIPTS = 20_000
HERE = Path(__file__).parent


def run(bench: Bench, *, rounds: int = ROUNDS) -> Iterator[dict[str, Any]]:
    """Yield one result per path: what, ours, bare, ratio, floor."""
    bench.url("finance")
    with bench.connect("finance") as conn:
        conn.execute("select ensure_month('2026-03-01')")
    with bench.process("finance", "web", transport="feed") as web:
        yield _single(bench, web, rounds)
        bulk = _bulk(bench, web, rounds)
        yield bulk
    yield _sealing(bench, bulk["ours"])


def _sealing(bench: Bench, uploaded: float) -> dict[str, Any]:
    """The scheduler numbers and chains all that was just posted, of tables that have no statistics yet.

    Beside the receipts a second of the upload: a chain that is sealed more slowly than it grows is never whole.
    """
    waiting = "select count(*) from journal_entries where chain_no is null"
    with (
        bench.connect("finance") as conn,
        bench.process("finance", "scheduler", transport="feed") as scheduler,
    ):

        def left() -> int:
            row = conn.execute(waiting).fetchone()
            return int(str(row[0])) if row else 0

        before = left()
        _until(lambda: left() < before)
        first, started = left(), time.perf_counter()
        _until(lambda: left() == 0)
        rate = (first or before) / (time.perf_counter() - started)
        memory_mb = peak_rss_mb(scheduler.pid)
    return {
        "what": "scheduler seals journal entries, entries/s",
        "ours": round(rate),
        "beside": "upload",
        "bare": uploaded,
        "ratio": round(rate / uploaded, 2),
        "floor": 3,
        "memory_mb": memory_mb,
    }


def _until(true: Callable[[], bool], within_s: float = 120) -> None:
    deadline = time.monotonic() + within_s
    while not true():
        if time.monotonic() > deadline:
            raise TimeoutError(f"the scheduler did not seal within {within_s} s")
        time.sleep(0.1)


def _single(bench: Bench, web: "subprocess.Popen[bytes]", rounds: int) -> dict[str, Any]:
    token = bench.issuer.token("bench", ["till"])
    ours_at = bench.address("finance").removeprefix("http://")
    ours: list[tuple[float, float]] = []
    bare: list[tuple[float, float]] = []
    with bare_web("bare_sale", bench.plain_url("finance")) as bare_at:
        load(ours_at, "/v1/sales", 2, 900_000_000, token)
        load(bare_at, "/sales", 2, 950_000_000, token)
        for turn in range(rounds):
            bare.append(load(bare_at, "/sales", LOAD_S, turn * 20_000_000, token))
            ours.append(load(ours_at, "/v1/sales", LOAD_S, turn * 20_000_000 + 10_000_000, token))
    found = _compared("one sale over HTTP, sales/s", [one[0] for one in ours], [one[0] for one in bare], 0.7)
    return found | {"p99_ms": round(median(one[1] for one in ours), 1), "memory_mb": peak_rss_mb(web.pid)}


def load(
    address: str, path: str, seconds: float, first: int, token: str, day: str = load_sales.DAY
) -> tuple[float, float]:
    """Sales a second, and the slowest but one of a hundred in ms."""
    command = [
        sys.executable,
        str(HERE / "load_sales.py"),
        address,
        path,
        str(seconds),
        str(first),
        token,
        day,
    ]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return float(told[0]), float(told[1])


def _bulk(bench: Bench, web: "subprocess.Popen[bytes]", rounds: int) -> dict[str, Any]:
    ours, bare = [], []
    for turn in range(rounds):
        first = 500_000_000 + turn * 2 * RECEIPTS
        bare_file, our_file = bench.folder / "bare.ndjson", bench.folder / "ours.ndjson"
        _receipts(bare_file, first)
        _receipts(our_file, first + RECEIPTS)
        command = [
            sys.executable,
            str(HERE / "limits" / "bare_copy.py"),
            bench.plain_url("finance"),
            str(bare_file),
        ]
        bare.append(float(subprocess.run(command, capture_output=True, text=True, check=True).stdout))
        ours.append(upload(bench, our_file))
    found = _compared("bulk upload, receipts of 3 lines/s", ours, bare, 0.7)
    return found | {"memory_mb": peak_rss_mb(web.pid)}


def _receipts(path: Path, first: int) -> None:
    with path.open("w") as file:
        for number in range(first, first + RECEIPTS):
            file.write(json.dumps(load_sales.receipt(number)) + "\n")


def upload(bench: Bench, path: Path) -> float:
    """Receipts a second of a file of RECEIPTS new ones. Raises RuntimeError unless all were posted."""
    token = bench.issuer.token("bench", ["till"])
    connection = http.client.HTTPConnection(bench.address("finance").removeprefix("http://"))
    started = time.perf_counter()
    headers = {"Content-Type": "application/x-ndjson", "Authorization": f"Bearer {token}"}
    with path.open("rb") as body:
        connection.request(
            "POST", "/v1/sales/bulk", body, headers | {"Content-Length": str(path.stat().st_size)}
        )
        answer = connection.getresponse()
        posted = sum(1 for line in answer.read().splitlines() if b'"posted"' in line)
    taken_s = time.perf_counter() - started
    if posted != RECEIPTS:
        raise RuntimeError(f"only {posted} of {RECEIPTS} receipts were posted")
    return RECEIPTS / taken_s


def _compared(what: str, ours: list[float], bare: list[float], floor: float) -> dict[str, Any]:
    return {
        "what": what,
        "ours": round(median(ours)),
        "bare": round(median(bare)),
        "ratio": round(median(ours) / median(bare), 2),
        "floor": floor,
    }


if __name__ == "__main__":
    with bench() as machine:
        for result in run(machine, rounds=int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS):
            print(json.dumps(result), flush=True)
