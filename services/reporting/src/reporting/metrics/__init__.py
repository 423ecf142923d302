"""The evaluation metrics: what each counts, its figure as facts stand, and as it was frozen."""

from reporting.metrics import tables
from reporting.metrics.api import blueprint, metric_or_404
from reporting.metrics.commands import freeze
from reporting.metrics.queries.views import metric_view
from reporting.metrics.rules import CODES, definition
from shared.areas import Area

AREA = Area(tables=tables, blueprints=[blueprint])

__all__ = ["AREA", "CODES", "definition", "freeze", "metric_or_404", "metric_view"]
