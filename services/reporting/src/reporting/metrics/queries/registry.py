"""Which metrics there are: what `versions/` holds, each of them by code and version."""

import re
from collections.abc import Mapping
from importlib import import_module
from pkgutil import iter_modules
from typing import Final

from reporting.metrics.model import Metric
from reporting.metrics.queries import versions
from shared.errors import NotFound
from shared.languages import Text


class MetricNotFound(NotFound):
    code = "metric_not_found"
    cure = "Use one of the codes that the sentence lists."


def _found() -> Mapping[tuple[str, str], Metric]:
    modules = [import_module(f"{versions.__name__}.{each.name}") for each in iter_modules(versions.__path__)]
    return {(module.METRIC.code, module.METRIC.version): module.METRIC for module in modules}


def _place(code: str) -> tuple[int, str]:
    """M3 before M3c before M10."""
    number, letter = re.fullmatch(r"[A-Z]+(\d+)([a-z]?)", code).groups()  # type: ignore[union-attr]
    return int(number), letter


DECLARED: Final = _found()
CODES: Final = tuple(sorted({code for code, _ in DECLARED}, key=_place))


def declared(code: str, version: str) -> Metric:
    """The metric of a figure."""
    return DECLARED[code, version]


def newest(code: str) -> Metric:
    """The version of a metric that was declared last: what is said of the metric where no month is."""
    return max((each for each in DECLARED.values() if each.code == code), key=lambda each: int(each.version))


def require_code(code: str) -> None:
    """Raises MetricNotFound unless there is such a metric."""
    if code not in CODES:
        raise MetricNotFound(Text("the metrics are {codes}", codes=", ".join(CODES)))
