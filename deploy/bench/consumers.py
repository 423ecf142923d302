"""Every service's real handler on its real mix of events, beside the least a hand-written consumer does with them.

The mix is that of selling to members: for each sale the points it earned, and now and then a registered customer. Both
programs read the same shape of events from a file: the transport is measured elsewhere.
"""

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any
from uuid import UUID

import orjson

from deploy.bench import sample
from deploy.bench.servers import ROOT, Bench
from shared.clock import new_id
from shared.service import load

SALES = 2_000
REGISTERED_EVERY = 50
FLOOR = 0.25
SERVICES = ("finance", "customers", "service_desk", "returns", "reporting")
LIMIT = Path(__file__).parent / "limits" / "bare_apply.py"


def run(bench: Bench, *, rounds: int = 3) -> Iterator[dict[str, Any]]:
    """Yield one result per service: its events/s, the bare program's, their ratio."""
    for name in SERVICES:
        _ours(bench, name, -1, 200)  # makes the month
        ours, bare = [], []
        for turn in range(rounds):
            bare.append(_bare(bench, name, 2 * turn, SALES))
            ours.append(_ours(bench, name, 2 * turn + 1, SALES))
        yield {
            "what": f"{name}'s consumer on its mix, events/s to a commit",
            "ours": median(ours),
            "bare": median(bare),
            "ratio": median(one / other for one, other in zip(ours, bare, strict=True)),
            "floor": FLOOR,
        }


def _ours(bench: Bench, name: str, turn: int, sales: int) -> float:
    path = _written(bench, name, turn, sales)
    return _run([sys.executable, "-m", "deploy.bench.apply_events", bench.url(name), name, str(path)])


def _bare(bench: Bench, name: str, turn: int, sales: int) -> float:
    path = _written(bench, name, turn, sales)
    return _run([sys.executable, str(LIMIT), bench.plain_url(name), name, str(path)])


def _run(command: list[str]) -> float:
    return float(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, cwd=ROOT).stdout)


def _written(bench: Bench, name: str, turn: int, sales: int) -> Path:
    sources = load(name).sources
    path = bench.folder / "events.ndjson"
    first = (turn + 1) * 10 * SALES + 1
    with path.open("wb") as file:
        for event in mix(first, sales):
            if event["source"] in sources:
                file.write(orjson.dumps(event) + b"\n")
    return path


def mix(first: int, sales: int) -> Iterator[dict[str, Any]]:
    """The events of `sales` sales, those of each source numbered from `first`."""
    told = first
    for number in range(first, first + sales):
        sale_id, data, total = sample.sale(number)
        member = str(UUID(int=number % 2_000))
        data = {**data, "customer_id": member}
        yield _event("finance", number, "finance.sale.posted.v1", str(sale_id), data, total)
        points = {
            "customer_id": member,
            "branch_id": data["branch_id"],
            "sale_id": str(sale_id),
            "points": total // 100,
            "money_basis_fen": total,
        }
        yield _event("customers", told, "customers.points.earned.v1", str(sale_id), points)
        told += 1
        if number % REGISTERED_EVERY == 0:
            who = str(new_id())
            known = {"customer_id": who, "kind": "patient", "branch_id": data["branch_id"]}
            yield _event("customers", told, "customers.customer.registered.v1", who, known)
            told += 1


def _event(
    source: str, seq: int, event_type: str, subject: str, data: dict[str, Any], amount_fen: int = 0
) -> dict[str, Any]:
    return {
        "source": source,
        "seq": seq,
        "id": str(new_id()),
        "type": event_type,
        "subject": subject,
        "version": 1,
        "day": sample.DAY.isoformat(),
        "amount_fen": amount_fen,
        "occurred_at": datetime.now(UTC).isoformat(),
        "traceparent": None,
        "correlation_id": None,
        "causation_id": None,
        "data": data,
    }
