"""Metric definitions with their versions: dated data rows, never constants in code.

Source: P2, model 3.5 (MetricDefinition)
"""

import json
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

from shared.errors import NotFound
from shared.languages import Text


class MetricUnknown(NotFound):
    code = "metric_unknown"
    cure = "Choose a month in which this metric was defined."


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """One version of a metric; `parameters` are whole numbers in the units the data file names."""

    code: str
    version: str
    effective_from: date
    formula: str
    parameters: dict[str, int]


@cache
def definitions() -> tuple[Definition, ...]:
    """Every version of every metric."""
    rows = json.loads((Path(__file__).parent / "data" / "metric_definitions.json").read_text("utf-8"))
    return tuple(
        Definition(
            code=row["code"],
            version=row["version"],
            effective_from=date.fromisoformat(row["effective_from"]),
            formula=row["formula"],
            parameters={name: int(each["value"]) for name, each in row["parameters"].items()},
        )
        for row in rows
    )


def definition(code: str, month: date) -> Definition:
    """The version of `code` in force on the first day of `month`. Raises MetricUnknown."""
    versions = [each for each in definitions() if each.code == code and each.effective_from <= month]
    if not versions:
        raise MetricUnknown(Text("there is no metric {code} for {month:%Y-%m}", code=code, month=month))
    return max(versions, key=lambda each: each.effective_from)
