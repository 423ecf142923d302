"""Two versions of Apotheca beside each other: sales over HTTP to each in turn, on one machine, in one run.

Before and after of a change is told by this alone: the same machine is a tenth slower a minute later. The other
version is a checkout with its own `.venv`; it needs `deploy.bench.servers` and `deploy.bench.load_sales` only.

usage: python -m deploy.bench.beside <other checkout> [--rounds N]
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Self

HERE = Path(__file__).resolve()
LOAD_S, WARM_UP_S = 4, 2
FLOOR = 0.97
"""Of the other version's sales a second."""
APART = 10_000_000
"""Between the numbers of receipts of two rounds."""


class Version:
    """A web process of finance of one checkout, over servers of its own, while the object is entered."""

    def __init__(self, checkout: Path) -> None:
        self._checkout = checkout
        self.rates: list[float] = []

    def __enter__(self) -> Self:
        self._process = self._start(str(HERE), "--serve")
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith("{"):
                self._at: dict[str, str] = json.loads(line)
                return self
        raise RuntimeError(f"{self._checkout} did not start")

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(60)

    def _start(self, *arguments: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [str(self._checkout / ".venv" / "bin" / "python"), *arguments],
            cwd=self._checkout,
            env={"PYTHONPATH": str(self._checkout), "PATH": "/usr/local/bin:/usr/bin:/bin"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def sell(self, seconds: int, first: int) -> float:
        """Post sales for so long, their receipts numbered from `first`; returns sales a second."""
        program = str(self._checkout / "deploy" / "bench" / "load_sales.py")
        load = self._start(
            program, self._at["address"], "/v1/sales", str(seconds), str(first), self._at["token"]
        )
        told = load.communicate()[0].split()
        if load.returncode:
            raise RuntimeError(f"sales of {self._checkout} failed")
        return float(told[0])


def serve() -> None:
    """Run finance over servers of its own until standard input ends; tells address and token as a line of JSON."""
    from deploy.bench.servers import bench

    with bench() as machine:
        machine.url("finance")
        with machine.connect("finance") as conn:
            conn.execute("select ensure_month('2026-03-01')")
        with machine.process("finance", "web", transport="feed"):
            address = machine.address("finance").removeprefix("http://")
            print(
                json.dumps({"address": address, "token": machine.issuer.token("bench", ["till"])}), flush=True
            )
            sys.stdin.read()


def sell_in_turns(this: Version, other: Version, rounds: int) -> None:
    """Each sells once a round; who begins changes, so that a machine that slows down slows both."""
    for turn in range(rounds):
        for each in (other, this) if turn % 2 else (this, other):
            each.rates.append(each.sell(LOAD_S, turn * APART))


def ratio_of(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """The median of what each round says: two rates a minute apart are not compared."""
    return median(mine / other for mine, other in zip(ours, theirs, strict=True))


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("other", nargs="?", type=Path, help="a checkout with its .venv")
    parser.add_argument("--rounds", type=int, default=14, help="the median of this many is told")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        serve()
        return 0
    if arguments.other is None:
        parser.error("name the other checkout")
    with Version(arguments.other.resolve()) as other, Version(HERE.parents[2]) as this:
        for each in (other, this):
            each.sell(WARM_UP_S, 900_000_000)
        sell_in_turns(this, other, arguments.rounds)
    ratio = ratio_of(this.rates, other.rates)
    print(
        f"one sale over HTTP: {median(this.rates):.0f}/s beside {median(other.rates):.0f}/s of {arguments.other},"
        f" ratio {ratio:.3f} (floor {FLOOR})"
    )
    return 0 if ratio >= FLOOR else 1


if __name__ == "__main__":
    sys.exit(main())
