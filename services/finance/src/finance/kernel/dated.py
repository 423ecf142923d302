"""The data files of finance, each beside the rules that use it, each read once. Legal and policy numbers are rows that count from their `effective_from`,
to their `effective_until` where they have one; of several the newest counts.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent


Row = Mapping[str, Any]


@cache
def read(name: str) -> Any:
    """What the file `name`.json in the folder `data` of an area or of the kernel holds; nobody changes it."""
    (path,) = ROOT.glob(f"*/data/{name}.json")
    return json.loads(path.read_text("utf-8"))


def in_force(name: str, day: date, **wanted: str) -> Sequence[Row]:
    """The rows of a file that count on a day and hold the wanted values, the oldest first."""
    rows = [
        row
        for row in read(name)
        if row["effective_from"] <= day.isoformat() <= (row.get("effective_until") or date.max.isoformat())
        and all(row.get(key) == value for key, value in wanted.items())
    ]
    return sorted(rows, key=lambda row: str(row["effective_from"]))


@lru_cache(maxsize=4_096)
def newest(name: str, day: date, **wanted: str) -> Row:
    """The newest of them; on a day before all of them the first. Raises KeyError where there never was one."""
    rows = in_force(name, day, **wanted) or in_force(name, date.max, **wanted)[:1]
    if not rows:
        raise KeyError(name, wanted)
    return rows[-1]


def value(name: str, rule: str, day: date) -> Any:
    """The value of a rule of a file on a day, as `newest` finds it."""
    return newest(name, day, rule=rule)["value"]
