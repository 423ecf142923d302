"""The product catalogue: 50,000 products told in one upload over HTTP, approved at once, told again
unchanged and with one field changed; then sales that are held against it.

usage: python -m deploy.bench.run catalogue
"""

import http.client
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

from deploy.bench import checks
from deploy.bench.servers import Bench, peak_rss_mb

PRODUCTS = 50_000
SECONDS_MAX = 60


def run(bench: Bench, *, rounds: int = 1) -> Iterator[dict[str, Any]]:
    """Yield what, ours in seconds, at_most: a time that a purchaser waits, in one round, since a product is new only once.
    Then what `checks.run` tells.
    """
    bench.url("finance")
    file = bench.folder / "products.ndjson"
    _write(file)
    with bench.process("finance", "web", transport="feed") as web:
        address = bench.address("finance").removeprefix("http://")
        taken_s, upload_id = upload(bench, address, file, "proposed")
        yield _told("50,000 new products uploaded, s", taken_s) | {"memory_mb": peak_rss_mb(web.pid)}
        started = time.perf_counter()
        approve(bench, address, upload_id)
        yield _told("50,000 products approved at once, s", time.perf_counter() - started)
        yield _told("50,000 products uploaded again, s", upload(bench, address, file, "unchanged")[0])
        _write(file, maker="另一制药")
        yield _told("50,000 products with another maker, s", upload(bench, address, file, "changed")[0])
        yield _told(
            "50,000 products with the other maker again, s", upload(bench, address, file, "unchanged")[0]
        )
        file.write_text("".join(_row(0, maker=f"制药 {number}") for number in range(PRODUCTS)))
        yield _told("50,000 rows about one product, s", upload(bench, address, file, "changed")[0])
    yield from checks.run(bench, rounds=rounds)


def _told(what: str, seconds: float) -> dict[str, Any]:
    return {"what": what, "ours": round(seconds, 1), "at_most": SECONDS_MAX}


def _write(file: Path, **odd: str) -> None:
    file.write_text("".join(_row(number, **odd) for number in range(PRODUCTS)))


def _row(number: int, **odd: str) -> str:
    return f"{json.dumps(product(number) | odd)}\n"


def product(number: int) -> dict[str, Any]:
    digits = f"69{number:010d}"
    check = -sum(int(each) * (3 if at % 2 else 1) for at, each in enumerate(digits)) % 10
    return {
        "product_id": f"C{number}",  # those that `checks` sells have others
        "generic_name": "阿莫西林胶囊",
        "legal_class": "rx",
        "control_class": "none",
        "temp_class": "normal",
        "category": "rx",
        "unit": "盒",
        "specification": f"0.25 g × {number}",
        "maker": "示例制药",
        "approval_number": f"国药准字H{number:08d}",
        "gtins": [f"{digits}{check}"],
        "source": "master",
        "source_version": "1",
    }


def upload(bench: Bench, address: str, path: Path, state: str) -> tuple[float, str]:
    """Seconds, and the upload's id. Raises RuntimeError unless every row came to `state`."""
    connection = http.client.HTTPConnection(address)
    token = bench.issuer.token("buyer", ["purchaser"])
    headers = {
        "Content-Type": "application/x-ndjson",
        "Authorization": f"Bearer {token}",
        "Content-Length": str(path.stat().st_size),
    }
    started = time.perf_counter()
    with path.open("rb") as body:
        connection.request("POST", "/v1/products/bulk", body, headers)
        rows = [json.loads(line) for line in connection.getresponse().read().splitlines()]
    taken_s = time.perf_counter() - started
    if [each["state"] for each in rows] != [state] * PRODUCTS:
        raise RuntimeError(f"not every product was {state}: {rows[0]}")
    return taken_s, rows[0]["upload_id"]


def approve(bench: Bench, address: str, upload_id: str) -> None:
    connection = http.client.HTTPConnection(address)
    token = bench.issuer.token("quality", ["qa"])
    headers = {
        "Content-Type": "application/json",
        "Authorization": f"Bearer {token}",
        "Idempotency-Key": uuid4().hex,
    }
    body = json.dumps({"decision": "approved", "reason": None})
    connection.request("POST", f"/v1/product-uploads/{upload_id}/decisions", body, headers)
    answer = connection.getresponse()
    if answer.status != 200:
        raise RuntimeError(answer.read().decode())
