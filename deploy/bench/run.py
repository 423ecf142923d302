"""Measure Apotheca beside programs that do the bare minimum: `make bench`.

Every ratio compares two programs run in turn on this machine in this run; a figure of another day or machine
proves nothing. So no floor is a figure per second. Some bounds are times that people wait, with room for a slow
machine: a tenth of another program's for figures of the books, the way from a till to a report, an upload of the
catalogue. Exit code 1 says that a floor or bound was missed. Results also go to var/bench.json.

usage: python -m deploy.bench.run [sales] [catalogue] [search] [messaging] [consumers] [settling] [ledger] [close] [--rounds N]
"""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from deploy.bench import bench_ledger, bench_sales, catalogue, consumers, messaging, search, settling
from deploy.bench.servers import Bench, bench

SUITES = {
    "sales": bench_sales.run,
    "catalogue": catalogue.run,
    "search": search.run,
    "messaging": messaging.run,
    "consumers": consumers.run,
    "settling": settling.run,
    "ledger": bench_ledger.run,
    "close": bench_ledger.close,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("suites", nargs="*", help=f"of {', '.join(SUITES)}; all when none is named")
    parser.add_argument("--rounds", type=int, default=5, help="the median of this many is told")
    arguments = parser.parse_args()
    unknown = set(arguments.suites) - set(SUITES)
    if unknown:
        parser.error(f"no such suite: {', '.join(sorted(unknown))}")
    results: list[dict[str, Any]] = []
    for name in arguments.suites or SUITES:
        with bench() as machine:
            for result in _measured(machine, name, arguments.rounds):
                results.append(result)
                print(_line(result), flush=True)
    Path("var").mkdir(exist_ok=True)
    Path("var/bench.json").write_text(json.dumps(results, indent=1) + "\n")
    missed = [result["what"] for result in results if not _reached(result)]
    for what in missed:
        print(f"MISSED: {what}")
    return 1 if missed else 0


def _measured(machine: Bench, name: str, rounds: int) -> Iterator[dict[str, Any]]:
    yield from SUITES[name](machine, rounds=rounds)


def _reached(result: dict[str, Any]) -> bool:
    return bool(
        result.get("ratio", 1) >= result.get("floor", 0)
        and result["ours"] <= result.get("at_most", float("inf"))
    )


def _line(result: dict[str, Any]) -> str:
    parts = [f"{result['what']:<66}{result['ours']:>10,.0f}"]
    if "bare" in result:
        parts.append(
            f"{result.get('beside', 'bare')} {result['bare']:>8,.0f}  ratio {result['ratio']:.2f} (floor {result['floor']})"
        )
    if "at_most" in result:
        parts.append(f"at most {result['at_most']:,}")
    parts += [
        f"{name} {result[name]}"
        for name in ("first", "p50", "p99_ms", "with_start_compare_and_swap_s", "alone")
        if name in result
    ]
    if "memory_mb" in result:
        parts.append(f"peak memory {result['memory_mb']} MB")
    return "  ".join(parts)


if __name__ == "__main__":
    sys.exit(main())
