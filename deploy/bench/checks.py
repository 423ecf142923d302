"""Sales under `enforce` beside the same under `off`: one process, turn about, a catalogue of 50,000 products.

usage: python -m deploy.bench.run catalogue
"""

import json
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

from deploy.bench import load_sales
from deploy.bench.bench_sales import RECEIPTS, load, upload
from deploy.bench.servers import Bench

PRODUCTS = 50_000
LOAD_S = 4.0
OFF, ENFORCED, AFTER = "2026-03-14", "2026-03-15", "2026-03-16"
FLOOR = 0.97

_MODES = """
insert into product_check_settings (setting_id, mode, effective_from, reason, state, subject_hash, proposed_by, proposed_at,
    no) values (gen_random_uuid(), %s, %s, 'bench', 'approved', '', 'bench', now(), %s)
"""
_VERSIONS = f"""
insert into product_versions (product_id, version, effective_from, generic_name, legal_class, control_class, temp_class,
    category, unit, pack_factor, specification, gtins, trace_prefixes, source, source_version, changed_by, changed_at)
select 'P' || lpad(n::text, 5, '0'), 1, '2026-01-01', 'Amoxicillin capsules', 'otc_a', 'none', 'normal', 'otc', 'pack', 1,
    '0.25 g x 24', '{{}}', '{{}}', 'bench', '1', 'bench', now()
from generate_series(0, {PRODUCTS - 1}) n
on conflict do nothing
"""


def run(bench: Bench, *, rounds: int) -> Iterator[dict[str, Any]]:
    """Yield what, ours, bare, ratio, floor for one sale and for an upload; `bare` is that of `off`."""
    bench.url("finance")
    with bench.connect("finance") as conn:
        conn.execute("select ensure_month('2026-03-01')")
        conn.execute(_VERSIONS)
        for no, (mode, day) in enumerate((("enforce", ENFORCED), ("off", AFTER)), 1):
            conn.execute(_MODES, (mode, day, no))
        conn.execute("analyze product_versions")
    with bench.process("finance", "web", transport="feed"):
        yield _told("one sale under enforce, sales/s", *_single(bench, rounds))
        yield _told("bulk upload under enforce, receipts of 3 lines/s", *_bulk(bench, rounds))


def _single(bench: Bench, rounds: int) -> tuple[list[float], list[float]]:
    token = bench.issuer.token("bench", ["till"])
    address = bench.address("finance").removeprefix("http://")
    held: list[float] = []
    off: list[float] = []
    for day in (OFF, ENFORCED):
        load(address, "/v1/sales", 2, 900_000_000 if day == OFF else 950_000_000, token, day)
    for turn in range(2 * rounds):
        for day, rates in ((OFF, off), (ENFORCED, held))[:: 1 if turn % 2 else -1]:
            first = turn * 20_000_000 + (10_000_000 if day == OFF else 0)
            rates.append(load(address, "/v1/sales", LOAD_S, first, token, day)[0])
    return held, off


def _bulk(bench: Bench, rounds: int) -> tuple[list[float], list[float]]:
    held: list[float] = []
    off: list[float] = []
    file = bench.folder / "receipts.ndjson"
    for first in (800_000_000, 810_000_000, 820_000_000):  # until most lots are known
        _write(file, first, OFF)
        upload(bench, file)
    for turn in range(rounds):
        for day, rates in ((OFF, off), (ENFORCED, held))[:: 1 if turn % 2 else -1]:
            _write(file, 500_000_000 + (2 * turn + (day == OFF)) * RECEIPTS, day)
            rates.append(upload(bench, file))
    return held, off


def _write(path: Path, first: int, day: str) -> None:
    """Receipts of products from all over the catalogue."""
    with path.open("w") as file:
        for number in range(first, first + RECEIPTS):
            receipt: dict[str, Any] = load_sales.receipt(number, day)
            for line in receipt["lines"]:
                product = (number * 37 + line["quantity"]) % PRODUCTS
                line["product"]["product_id"] = f"P{product:05d}"
                line["lot"] = f"L{product % 10}"
            file.write(json.dumps(receipt) + "\n")


def _told(what: str, held: list[float], off: list[float]) -> dict[str, Any]:
    """The median of the ratios of each turn: what slows the machine slows both of a turn."""
    ratio = median(one / other for one, other in zip(held, off, strict=True))
    return {
        "what": what,
        "ours": round(median(held)),
        "beside": "off",
        "bare": round(median(off)),
        "ratio": round(ratio, 3),
        "floor": FLOOR,
    }
