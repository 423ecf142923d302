"""The evaluation metrics: what each counts, its figure as facts stand, and as it was frozen."""

from reporting.metrics import tables
from reporting.metrics.api import blueprint
from reporting.metrics.commands import freeze
from reporting.metrics.queries.registry import CODES, declared, require_code
from reporting.metrics.queries.views import metric_view
from reporting.metrics.rules import definition
from shared.areas import Area

AREA = Area(tables=tables, blueprints=[blueprint])

__all__ = ["AREA", "CODES", "declared", "definition", "freeze", "metric_view", "require_code"]
