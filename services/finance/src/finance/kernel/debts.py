"""What of debts several areas go by: rules of the house, and buckets of age."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from finance.kernel import dated


def house(rule: str, day: date) -> Any:
    return dated.value("receivable_rules", rule, day)


def _since(file: str, rule: str) -> list[tuple[date, Any]]:
    """Every row of a rule, oldest first, as (effective_from, value)."""
    rows = dated.in_force(file, date.max, rule=rule)
    return [(date.fromisoformat(row["effective_from"]), row["value"]) for row in rows]


@dataclass(frozen=True, slots=True)
class Bucket:
    """Debts `first` to `last` days past due; the first bucket holds what is not past due, and every credit."""

    first: int
    last: int | None

    @property
    def name(self) -> str:
        if self.last is None:
            return f">{self.first - 1}"
        return "0" if self.last == 0 else f"{self.first}-{self.last}"


def buckets(bounds: Sequence[int]) -> list[Bucket]:
    """One bucket up to each bound and one beyond the last."""
    edges = [-1, *bounds]
    closed = [Bucket(low + 1, high) for low, high in zip(edges, bounds, strict=False)]
    return [*closed, Bucket(bounds[-1] + 1, None)]


def bucket_of(bounds: Sequence[int], days: int) -> int:
    """The index of the bucket that `days` past due fall into."""
    return sum(days > bound for bound in bounds)


MINE = "(cast(:branches as text[]) is null or i.branch_id = any(:branches))"


def last_quarter_end(today: date, every_months: int) -> date:
    """The last day of the latest month that ends a span of `every_months` of the year and is over."""
    month = today.replace(day=1)
    while (month.month - 1) % every_months:
        month = (month - timedelta(days=1)).replace(day=1)
    return month - timedelta(days=1)
