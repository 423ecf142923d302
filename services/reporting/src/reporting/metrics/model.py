"""What a metric is, and the figure it gives in one month and scope."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Any

from reporting.metrics.rules import Definition
from shared.money import half_up

Counts = Mapping[str, int]
"""What the statement of a metric counts beside numerator, denominator and n, by name."""
Detail = dict[str, "int | bool | Detail | None"]
"""What a figure tells beside its value; as JSON, frozen with it."""


class Unit(StrEnum):
    """How a value in basis points is read."""

    PERCENT = "percent"
    POINTS = "points"
    """Of 100."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line below a figure, of its detail: a share in basis points, and what stands small beside it.

    The names of a nested value are joined by dots.
    """

    label: str
    share: str
    mean_milli: str | None = None
    counts: tuple[str, str] | None = None
    """Of how many, as the share's numerator and denominator."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One version of a metric, as its module in `queries/versions/` declares it. Texts are English; catalogs hold the Chinese.

    `sql` gives one row a scope: `branch_id` ('' is the chain), `numerator`, `denominator`, `n` (the sample that the
    low-sample mark looks at), `has_value` (false: counted, and yet not known) and the columns named in `counts`. It is
    bound to `first` and `after`, which bound the month, to `branch`, null for every scope, and to what `binds` makes of
    the parameters in force.
    """

    code: str
    version: str
    name: str
    """Within a sentence."""
    title: str
    explanation: str
    numerator: str
    denominator: str
    unit: Unit
    of_branches: bool
    """Else it is the company's alone, whatever branch is asked for."""
    sql: str
    counts: tuple[str, ...]
    detail: Callable[[Counts], Detail]
    shown: tuple[Line, ...]
    binds: Callable[[Definition, date], Mapping[str, int | date]]
    unknown: str | None = None
    """Why a figure may have no value although something was counted."""


def sql_beside(module: str) -> str:
    """The statement in the file beside a module, which is named like it."""
    return Path(module).with_suffix(".sql").read_text("utf-8")


def parameters(rule: Definition, _: date) -> Mapping[str, int]:
    """A statement's binds that are the parameters as they are."""
    return rule.parameters


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
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
    detail: Detail

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "month": f"{self.month:%Y-%m}", "branch_id": self.branch_id or None}


def ratio_bp(numerator: int, denominator: int) -> int | None:
    return half_up(10_000 * numerator, denominator) if denominator else None
