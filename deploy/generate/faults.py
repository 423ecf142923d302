"""What is broken on purpose, and which tests show that nothing comes of it: docs/faults.md.

Tests say `@pytest.mark.case("F08")`; a case without a test fails the contract tests.
"""

from pathlib import Path

from deploy.generate.repository import GENERATED, ROOT
from deploy.generate.traceability import marks_by_requirement

CASES = {
    "F01": (
        "relay killed at random moments",
        "at most a window is published twice for each kill; nothing is missing",
    ),
    "F02": ("relay killed between confirm and saved cursor", "at most one window twice, each time"),
    "F03": ("consumer killed, also between commit and acknowledgement", "nothing twice, no dead letter"),
    "F04": ("broker killed", "every write succeeds; publishing goes on within 15 s of its return"),
    "F05": (
        "broker killed while a queue is being born",
        "what the broken queue lost comes from the producer",
    ),
    "F06": ("broker away under steady writes", "writes are as fast as before; the backlog drains"),
    "F07": ("broker short of memory", "the relay waits and goes on; no process restarts"),
    "F08": (
        "network silent in one direction or both",
        "relay and consumer notice, and go on when it is healed",
    ),
    "F09": ("connections reset again and again", "nothing missing; threads and descriptors do not grow"),
    "F10": ("200 ms each way", "latency, not throughput"),
    "F11": ("binding of a consumer removed", "named by verification; what went astray is fetched"),
    "F12": ("queue full", "the relay holds back and does not hammer; drains when read"),
    "F13": ("producer's database dies under load", "every acknowledged write is there; a relay takes over"),
    "F14": ("consumer's database dead or silent", "no acknowledgement without a commit; no dead letter"),
    "F15": ("every event three times in any order", "the tables of one delivery in order"),
    "F16": ("poison among healthy events", "exactly the culprits are parked; applied after the fix"),
    "F17": (
        "poison in the middle of one aggregate",
        "the newest version stands; the parked one is applied late",
    ),
    "F18": ("messages stolen from the queue", "noticed within 5 s and fetched"),
    "F19": ("the last messages stolen", "found by the producer's head and fetched"),
    "F20": ("closing a month while something is missing", "refused, naming source and day"),
    "F21": ("active relay paused", "the standby takes over; waking up repeats at most a window"),
    "F22": ("consumers scaled up and down under load", "nothing lost, doubled or out of order"),
    "F23": ("orderly stop under load", "within 10 s, exit code 0"),
    "F24": (
        "web workers forked from a loaded process",
        "no shared database connection, no broker connection",
    ),
    "F25": ("long transaction in another service's database", "the relay does not wait for it"),
    "F26": (
        "late and undone transactions of 16 writers",
        "nothing missing where a cursor over ids misses some",
    ),
    "F27": (
        "producer and consumer of different releases",
        "optional fields change nothing; unknown versions wait",
    ),
    "F28": ("rebuild while selling goes on", "the same tables; the live side lags for less than 30 s"),
    "F29": (
        "consumer dies on each delivery",
        "the dead-letter queue fills, the drainer brings everything back",
    ),
    "F30": (
        "clock of one producer wrong by an hour; turn of a month",
        "order by number; the day is Shanghai's",
    ),
    "F31": ("every process restarted in turn under traffic", "no request fails, no event is missing"),
    "F32": ("random faults against real processes", "no acknowledged sale is lost, doubled or made up"),
    "F33": ("months of traffic", "tables, memory and descriptors stay flat"),
}
"""What is broken, and what must hold then."""


def documents() -> dict[Path, str]:
    """One row per case."""
    tests = marks_by_requirement("case")
    lines = [
        "# Faults",
        "",
        GENERATED,
        "",
        "What is broken on purpose, what must hold then beyond the oracle, and the tests that show it.",
        "The oracle after every fault: as many events as changes, numbered without a gap and in each aggregate's order;",
        "the consumer complete to the last number, every event applied once; sums per day and type equal; nothing parked",
        "or dead-lettered that was not expected.",
        "",
        "`make test` runs each in a short form, `make faults` in the full one, `make nemesis` random faults for ten minutes",
        "(its seed is printed; `APOTHECA_NEMESIS_SEED` repeats the choices of a run).",
        "",
        "| case | broken | must hold | tests |",
        "|---|---|---|---|",
    ]
    for case, (broken, must_hold) in CASES.items():
        shown_tests = "<br>".join(f"`{name}`" for name in dict.fromkeys(tests.get(case, ()))) or "not yet"
        lines.append(f"| {case} | {broken} | {must_hold} | {shown_tests} |")
    return {ROOT / "docs" / "faults.md": "\n".join(lines) + "\n"}
