"""Legal and policy numbers as dated rows: the newest row in force on the day counts, and nothing else."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any

from shared.errors import Unavailable
from shared.languages import Text


class RuleNotInForce(Unavailable):
    """No row of that rule is in force on the day: the service refuses to guess."""

    code = "rule_not_in_force"
    cure = "Tell the operator: a rule must be in force for this day."


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One dated number; `mark` says how well its source was read (V in full, S secondary, M from memory)."""

    key: str
    value: int
    unit: str
    effective_from: date
    source: str
    mark: str


def rows_of(area: str, name: str) -> list[dict[str, Any]]:
    """The rows of the file `name` in the folder `data` of `area`, which is the name of a package; dates read."""
    rows = json.loads((files(area) / "data" / name).read_text(encoding="utf-8"))
    for row in rows:
        if "effective_from" in row:
            row["effective_from"] = date.fromisoformat(row["effective_from"])
    return list(rows)


@cache
def packaged_rules(area: str) -> tuple[Rule, ...]:
    """The numbers of an area, which is the name of a package."""
    return tuple(Rule(**row) for row in rows_of(area, "rules.json"))


def number(area: str, key: str, *, on: date, rules: Sequence[Rule] | None = None) -> int:
    """The value of an area's number in force on `on`, in the unit of its row. Raises RuleNotInForce."""
    rows = [
        rule
        for rule in (packaged_rules(area) if rules is None else rules)
        if rule.key == key and rule.effective_from <= on
    ]
    if not rows:
        raise RuleNotInForce(
            Text("no row of {key} is in force on {on}", key=key, on=on), retry_after_s=86_400
        )
    return max(rows, key=lambda rule: rule.effective_from).value
