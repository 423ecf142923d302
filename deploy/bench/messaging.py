"""Relay, consumer, rebuild and latency, each beside the least a program can do, on one machine in one run."""

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import httpx
import orjson
import pika

from deploy.bench import load_sales, sample
from deploy.bench.consumers import mix
from deploy.bench.servers import Bench, peak_rss_mb

EVENTS = 20_000
ROUNDS = 5
REBUILD_FLOOR = 0.9
"""Of one process that reads the same events from a file and COPYs the same facts into the live tables, by 200."""
LIMITS = Path(__file__).parent / "limits"
QUEUE = "reporting.events.v1"


def run(bench: Bench, *, rounds: int = ROUNDS, events: int = EVENTS) -> Iterator[dict[str, Any]]:
    """Yield one result per path: what, ours, bare, ratio, floor."""
    bodies = bench.folder / "bodies.ndjson"
    bodies.write_bytes(b"\n".join(orjson.dumps(sample.sale(number)[1]) for number in range(events)))
    bench.url("finance")
    with bench.process("finance", "web"):  # which a consumer asks how far its log is
        yield from _relay_and_consumer(bench, bodies, rounds, events)
    yield _latency(bench)
    # Last: the bare program's facts are of events that finance never told, and a consumer would halt it for them.
    yield _rebuild(bench, int(_value(bench, "finance", "select last_seq from outbox_head") or 0))


def _relay_and_consumer(bench: Bench, bodies: Path, rounds: int, events: int) -> Iterator[dict[str, Any]]:
    published, consumed, bare_published, bare_consumed = [], [], [], []
    memory: dict[str, int] = {}
    with bench.process("reporting", "consumer"):
        _until(lambda: _queue_exists(bench), "the consumer declares its queue")
    with bench.process("finance", "relay") as relay:
        _until(
            lambda: _value(bench, "finance", "select count(*) from pg_locks where locktype = 'advisory'"),
            "leads",
        )
        time.sleep(4)  # the relay proves new queues before it opens
        for turn in range(rounds):
            bare_published.append(_bare("bare_publish.py", bench.broker(), f"bare-{turn}", str(bodies)))
            bare_consumed.append(
                _bare(
                    "bare_consume.py",
                    bench.broker(),
                    f"bare-{turn}",
                    bench.plain_url("reporting"),
                    str(events),
                )
            )
            published.append(_publish(bench, turn, events))
            rate, memory["reporting consumer"] = _consume(bench, (turn + 1) * events)
            consumed.append(rate)
        memory["finance relay"] = peak_rss_mb(relay.pid)
    yield _compared("relay, events/s", published, bare_published, 0.45) | {
        "memory_mb": memory["finance relay"]
    }
    yield _compared("reporting consumer, events/s to committed facts", consumed, bare_consumed, 0.33) | {
        "memory_mb": memory["reporting consumer"],
    }


def _publish(bench: Bench, turn: int, events: int) -> float:
    rows = sample.rows(turn * events, events)
    with bench.connect("finance") as conn:
        with conn.transaction(), conn.cursor() as cursor, cursor.copy(sample.COPY) as copy:
            for row in rows:
                copy.write_row(row)
        started = time.perf_counter()
        conn.execute("notify apotheca_outbox")
        wanted = (turn + 1) * events
        _until(
            lambda: _value(bench, "finance", "select confirmed_seq from relay_cursor") == wanted,
            "all confirmed",
        )
        return events / (time.perf_counter() - started)


def _consume(bench: Bench, wanted: int) -> tuple[float, int]:
    """Watches the newest number over one connection: to count the rows fifty times a second takes half a core."""
    with bench.connect("reporting") as watched:

        def newest() -> int:
            row = watched.execute(
                "select coalesce(max(seq), 0) from inbox where source = 'finance'"
            ).fetchone()
            return int(str(row[0])) if row else 0

        before = newest()
        with bench.process("reporting", "consumer") as consumer:
            _until(lambda: newest() > before, "the first batch")
            first, started = newest(), time.perf_counter()
            _until(lambda: newest() == wanted, "the last event")
            _until(lambda: _value(bench, "reporting", "select count(*) from inbox") == wanted, "all facts")
            taken_s = time.perf_counter() - started
            return (wanted - first) / taken_s, peak_rss_mb(consumer.pid)


def _rebuild(bench: Bench, events: int) -> dict[str, Any]:
    producers = ("finance", "customers", "service_desk", "returns")
    with ExitStack() as running:
        webs = [running.enter_context(bench.process(name, "web", transport="feed")) for name in producers]
        started = time.perf_counter()
        environment = bench.environment("reporting", transport="feed")
        command = [sys.executable, "-m", "reporting", "rebuild"]
        told = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout
        taken_s = time.perf_counter() - started
        memory = peak_rss_mb(webs[0].pid)
    replayed = re.search(r"^([\d,]+) events in ([\d.]+) s ", told, re.MULTILINE)
    assert replayed, told
    assert int(replayed[1].replace(",", "")) == events
    bare = _bare("bare_apply.py", bench.plain_url("reporting"), "reporting", str(_told(bench, events)))
    ours = events / float(replayed[2])
    return _compared(
        "rebuild, events/s replayed into a fresh set of tables", [ours], [bare], REBUILD_FLOOR
    ) | {
        "with_start_compare_and_swap_s": round(taken_s, 1),
        "memory_mb": memory,
    }


def _told(bench: Bench, after: int) -> Path:
    """Events of the kind that was replayed, numbered above them: the same facts are stored beside."""
    path = bench.folder / "told.ndjson"
    with path.open("wb") as file:
        for number in range(after + 1, after + EVENTS + 1):
            file.write(orjson.dumps(next(mix(number, 1))) + b"\n")
    return path


def _latency(bench: Bench, sales: int = 200) -> dict[str, Any]:
    """Commit to visible: from the answer of one sale to its facts in reporting's database, idle system."""
    taken_ms = []
    with (
        bench.process("finance", "web"),
        bench.process("finance", "relay"),
        bench.process("reporting", "consumer"),
        bench.connect("reporting") as facts,
        httpx.Client(base_url=bench.address("finance")) as till,
    ):
        headers = {"Authorization": f"Bearer {bench.issuer.token('till', ['till'])}"}
        time.sleep(6)
        for number in range(sales):
            receipt = load_sales.receipt(number)
            answer = till.post(
                "/v1/sales", json=receipt, headers={**headers, "Idempotency-Key": f"latency-{number}"}
            )
            answer.raise_for_status()
            started = time.perf_counter()
            sale_id = answer.json()["sale_id"]
            _until(partial(_is_visible, facts, sale_id), "visible", every_s=0.001)
            if number >= 20:
                taken_ms.append((time.perf_counter() - started) * 1000)
            time.sleep(0.05)
    taken_ms.sort()
    return {
        "what": "commit to visible in reporting, idle, ms (p50, p99)",
        "ours": taken_ms[int(len(taken_ms) * 0.99)],
        "p50": median(taken_ms),
        "at_most": 150,
    }


def _is_visible(facts: Any, sale_id: str) -> bool:
    return (
        facts.execute("select 1 from facts.fact_sales where sale_id = %s", (sale_id,)).fetchone() is not None
    )


def _compared(what: str, ours: list[float], bare: list[float], floor: float) -> dict[str, Any]:
    ratio = median(mine / least for mine, least in zip(ours, bare, strict=True))
    return {"what": what, "ours": median(ours), "bare": median(bare), "ratio": ratio, "floor": floor}


def _bare(program: str, *arguments: str) -> float:
    done = subprocess.run(
        [sys.executable, str(LIMITS / program), *arguments], stdout=subprocess.PIPE, text=True, check=True
    )
    return float(done.stdout)


def _value(bench: Bench, package: str, query: str) -> Any:
    with bench.connect(package) as conn:
        row = conn.execute(query).fetchone()
    return row[0] if row else None


def _queue_exists(bench: Bench) -> bool:
    connection = pika.BlockingConnection(pika.URLParameters(bench.broker()))
    try:
        connection.channel().queue_declare(QUEUE, passive=True)
    except pika.exceptions.ChannelClosedByBroker:
        return False
    else:
        return True
    finally:
        connection.close()


def _until(true: Any, what: str, *, within_s: float = 120, every_s: float = 0.02) -> None:
    deadline = time.monotonic() + within_s
    while not true():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {within_s} s until {what}")
        time.sleep(every_s)
