"""docs/metrics.md: what each evaluation metric is counted from, metric → events → fields.

The mapping is `metrics/data/metric_facts.json` of reporting; what no event carries is refused here, and so fails the
build. `waits_for` says what a metric still lacks, in words, so that nothing is silently left out.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from deploy.generate.events import anchor_of
from deploy.generate.payloads import every_declared
from deploy.generate.repository import GENERATED, ROOT

FACTS = ROOT / "services/reporting/src/reporting/metrics/data/metric_facts.json"
HEAD = """# Metrics and the facts they are counted from

{generated}

Each metric of [the evaluation](requirements.md) with the events that carry its facts and the fields it reads;
the build fails when a field that is named here is told by no event. [events.md](events.md) says what a field means.
The last column is what a metric still waits for; where it is empty, everything is told.

| metric | events and fields | waits for |
|---|---|---|
"""


def documents() -> dict[Path, str]:
    """One page. Raises ValueError for an event or a field that nobody tells."""
    rows = json.loads(FACTS.read_text("utf-8"))
    missing = list(not_told(rows, every_declared()))
    if missing:
        raise ValueError(f"metrics read what no event carries: {', '.join(missing)}")
    return {ROOT / "docs/metrics.md": HEAD.format(generated=GENERATED) + "".join(map(_line, rows))}


def not_told(rows: list[dict[str, Any]], declared: Mapping[str, type]) -> Iterator[str]:
    """What a metric reads and no event has, as `M1: event` or `M1: event.field`."""
    for row in rows:
        for event, fields in row["reads"].items():
            if event not in declared:
                yield f"{row['metric']}: {event}"
                continue
            known = declared[event].__annotations__.keys() | _inherited(declared[event])
            yield from (f"{row['metric']}: {event}.{name}" for name in fields if name not in known)


def _inherited(payload: type) -> set[str]:
    return set(getattr(payload, "__required_keys__", ())) | set(getattr(payload, "__optional_keys__", ()))


def _line(row: dict[str, Any]) -> str:
    events = "<br>".join(
        f"[{event}](events.md#{anchor_of(event)}): {', '.join(fields)}"
        for event, fields in row["reads"].items()
    )
    return f"| {row['metric']} {row['name']} | {events or 'none yet'} | {'; '.join(row['waits_for'])} |\n"
