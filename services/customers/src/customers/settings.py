"""The dated rows of data the rules read: mandatory licences, earning rules, what makes a record complete.

A row counts from its `effective_from`; the newest that has begun wins. Source: G2, C8, C38
"""

import json
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib import resources
from typing import Any

from shared.errors import Conflict


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


@dataclass(frozen=True, slots=True, kw_only=True)
class RedemptionRule:
    """A point pays `fen_per_point`; points nobody used go back after `restore_after`."""

    fen_per_point: int
    restore_after: timedelta


class RedemptionNotOffered(Conflict):
    """No dated rule says what a point is worth on this day."""

    code = "redemption_not_offered"


@cache
def redemption_rule(on: date) -> RedemptionRule:
    """What redeeming on the day `on` follows. Raises RedemptionNotOffered before the first rule."""
    value, hours = (_redemption(name, on) for name in ("value", "restore_after"))
    if value is None or hours is None:
        raise RedemptionNotOffered(f"no rule for points is in force on {on}")
    return RedemptionRule(fen_per_point=value, restore_after=timedelta(hours=hours))


@cache
def points_expire_on(earned_on: date) -> date | None:
    """The last day on which points earned on this day may be used; None when they never expire."""
    years = _redemption("expiry", earned_on)
    return None if years is None else date(earned_on.year + years, 12, 31)


def _redemption(rule: str, on: date) -> int | None:
    row = _in_force([row for row in _data("redemption.json") if row["rule"] == rule], on)
    return None if row is None else int(row["value"])


@cache
def complete_fields(kind: str, on: date) -> tuple[str, ...]:
    """The fields a record of `kind` should have, each of the same weight."""
    row = _in_force([row for row in _data("completeness.json") if row["kind"] == kind], on)
    return tuple(row["fields"]) if row else ()
