"""The figure of a metric in one month and scope."""

from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from shared.money import half_up


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """`value_bp` = 10 000 · numerator / denominator, half up; `n` the sample the low-sample mark looks at."""

    code: str
    version: str
    month: date
    branch_id: str
    numerator: int
    denominator: int
    value_bp: int | None
    n: int
    low_sample: bool
    detail: dict[str, Any]

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "month": f"{self.month:%Y-%m}", "branch_id": self.branch_id or None}


def ratio_bp(numerator: int, denominator: int) -> int | None:
    return half_up(10_000 * numerator, denominator) if denominator else None
