"""The dated rows of data the rules read: mandatory licences, earning rules, what makes a record complete.

A row counts from its `effective_from`; the newest that has begun wins. Source: G2, C8, C38
"""

import json
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class EarningRule:
    """One point for each `fen_per_point` fen of what was paid with any tender but the excluded ones."""

    fen_per_point: int
    excluded_tenders: frozenset[str]


@cache
def _data(name: str) -> Any:
    return json.loads(resources.files("customers").joinpath("data", name).read_text("utf-8"))


def _in_force(rows: list[dict[str, Any]], on: date) -> dict[str, Any] | None:
    begun = [row for row in rows if row["effective_from"] <= on.isoformat()]
    return max(begun, key=lambda row: row["effective_from"], default=None)


@cache
def licence_types() -> dict[str, str]:
    """Licence type → its name on the document."""
    return {row["type"]: row["name"] for row in _data("licences.json")["types"]}


@cache
def mandatory_licences(kind: str, on: date) -> tuple[frozenset[str], ...]:
    """Groups of licence types: a customer of `kind` needs one licence of each group. Empty for patients."""
    rows = [row for row in _data("licences.json")["mandatory"] if row["kind"] == kind]
    row = _in_force(rows, on)
    return tuple(frozenset(group) for group in row["one_of_each"]) if row else ()


@cache
def earning_rule(on: date) -> EarningRule | None:
    """The rule for sales that count to the day `on`; None before the first."""
    row = _in_force(_data("loyalty.json"), on)
    if row is None:
        return None
    return EarningRule(fen_per_point=row["value"], excluded_tenders=frozenset(row["excluded_tenders"]))


@cache
def complete_fields(kind: str, on: date) -> tuple[str, ...]:
    """The fields a record of `kind` should have, each of the same weight."""
    row = _in_force([row for row in _data("completeness.json") if row["kind"] == kind], on)
    return tuple(row["fields"]) if row else ()
