"""A bulk upload until it is settled everywhere, beside the upload itself: all five services, the broker, one machine.

The upload's own speed is taken in the same run, while everybody settles what it posts; how fast it goes with nobody else
at work is told beside. Settled means: posted, points earned, the liability booked, sold lines and known sales kept, every fact stored.
Receipts are those of the demonstration: all of members, nine in ten earn points, 2.4 lines each.
"""

import http.client
import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from statistics import median
from typing import Any
from uuid import UUID

import psycopg

from deploy.bench import load_sales
from deploy.bench.servers import Bench

RECEIPTS = 10_000
SERVICES = ("finance", "customers", "service_desk", "returns", "reporting")
LINES = (1,) * 9 + (2,) * 5 + (3, 3, 4, 5, 6, 8)
"""How many lines receipts have, in turn: the demonstration's shares, 2.4 on average."""
MEMBERS = 2_000
SMALL_EVERY = 9
"""One receipt in so many is worth less than a point."""
WARM_UP = 4_000
WITHIN_S = 300
FLOOR = 0.5


def run(bench: Bench, *, rounds: int = 3) -> Iterator[dict[str, Any]]:
    """Yield a result per transport: receipts/s settled everywhere beside the upload's own, and the upload alone."""
    for name in SERVICES:
        bench.url(name)
    with bench.connect("finance") as conn:
        conn.execute("select ensure_month('2026-03-01')")
    first = 0
    for transport in ("feed", "amqp"):
        result, first = _settled(bench, transport, first, rounds)
        yield result


def _settled(bench: Bench, transport: str, first: int, rounds: int) -> tuple[dict[str, Any], int]:
    uploaded, settled = [], []
    with ExitStack() as running:
        running.enter_context(bench.process("finance", "web", transport=transport))
        alone = _upload(bench, _body(first, WARM_UP), WARM_UP)
        first += WARM_UP
        for name in SERVICES:
            for role in ("web", "relay", "consumer", "scheduler"):
                if (name, role) not in {("finance", "web"), ("reporting", "relay")}:
                    running.enter_context(bench.process(name, role, transport=transport))
        watched = {name: running.enter_context(bench.connect(name)) for name in SERVICES}
        _until_settled(watched, first)
        for _ in range(rounds):
            body = _body(first, RECEIPTS)
            started = time.perf_counter()
            uploaded.append(_upload(bench, body, RECEIPTS))
            first += RECEIPTS
            _until_settled(watched, first)
            settled.append(RECEIPTS / (time.perf_counter() - started))
    return {
        "what": f"bulk upload settled everywhere, {transport}, receipts of members/s",
        "ours": median(settled),
        "bare": median(uploaded),
        "beside": "upload",
        "ratio": median(one / other for one, other in zip(settled, uploaded, strict=True)),
        "floor": FLOOR,
        "alone": round(alone),
    }, first


def receipt(number: int) -> dict[str, object]:
    """A member's receipt, as the demonstration has them."""
    made = load_sales.receipt(number)
    lines = made["lines"]
    assert isinstance(lines, list)
    wanted = LINES[number % len(LINES)]
    kept = [{**lines[index % 3], "lot": f"L{number % 500:04d}-{index // 3}"} for index in range(wanted)]
    if is_small(number):
        kept = [{**kept[0], "quantity": 1, "unit_price": {"fen": 90, "currency": "CNY"}}]
    total = sum(line["quantity"] * line["unit_price"]["fen"] for line in kept)
    tenders = [{"tender": "wechat", "amount": {"fen": total, "currency": "CNY"}}]
    return {**made, "customer_id": member(number), "lines": kept, "tenders": tenders}


def member(number: int) -> str:
    return str(UUID(int=number % MEMBERS))


def is_small(number: int) -> bool:
    return number % SMALL_EVERY == 0


def _body(first: int, count: int) -> bytes:
    return "\n".join(json.dumps(receipt(number)) for number in range(first, first + count)).encode()


def _upload(bench: Bench, body: bytes, count: int) -> float:
    """Receipts per second."""
    token = bench.issuer.token("bench", ["till"])
    connection = http.client.HTTPConnection(bench.address("finance").removeprefix("http://"))
    headers = {"Content-Type": "application/x-ndjson", "Authorization": f"Bearer {token}"}
    started = time.perf_counter()
    connection.request("POST", "/v1/sales/bulk", body, headers)
    posted = connection.getresponse().read().count(b'"posted"')
    if posted != count:
        raise RuntimeError(f"only {posted} of {count} receipts were posted")
    return count / (time.perf_counter() - started)


def _until_settled(watched: dict[str, "psycopg.Connection[tuple[object, ...]]"], receipts: int) -> None:
    """All receipts numbered below `receipts` are everywhere."""
    earning = sum(not is_small(number) for number in range(receipts))
    wanted = (
        ("customers", "select count(*) from point_sales", earning),
        ("service_desk", "select count(*) from known_sales", receipts),
        ("returns", "select count(distinct sale_id) from sold_lines", receipts),
        ("finance", "select count(*) from points_earned", earning),
        ("reporting", "select count(*) from inbox", receipts + earning),
    )
    deadline = time.monotonic() + WITHIN_S
    for name, query, count in wanted:
        while True:
            row = watched[name].execute(query).fetchone()
            if row is not None and row[0] == count:
                break
            if time.monotonic() > deadline:
                raise TimeoutError(f"{name} has {row} of {count} after {WITHIN_S} s")
            time.sleep(0.1)
