"""The service standards: dated numbers with their source, read from data/standards.json.

Source: D2, D25
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from importlib.resources import files

from shared.errors import Unavailable
from shared.languages import Text


class StandardMissing(Unavailable):
    """No row of that name was in force on that day."""

    code = "service_standard_missing"
    cure = "Tell the operator: a standard must be in force for this day."


@dataclass(frozen=True, slots=True, kw_only=True)
class Standard:
    """One number in force from `effective_from` until the next row of the same name."""

    name: str
    value: int
    unit: str
    effective_from: date
    source: str
    mark: str


def load() -> tuple[Standard, ...]:
    """The rows of data/standards.json."""
    rows = json.loads((files("service_desk.standards") / "data" / "standards.json").read_text("utf-8"))
    return tuple(
        Standard(**{**row, "effective_from": date.fromisoformat(row["effective_from"])}) for row in rows
    )


STANDARDS = load()


def value(name: str, on: date, rows: Sequence[Standard] = STANDARDS) -> int:
    """The number `name` in force on `on`, in the unit of its row. Raises StandardMissing."""
    in_force = [row for row in rows if row.name == name and row.effective_from <= on]
    if not in_force:
        raise StandardMissing(
            Text("no standard {name} is in force on {on}", name=name, on=on), retry_after_s=86_400
        )
    return max(in_force, key=lambda row: row.effective_from).value
