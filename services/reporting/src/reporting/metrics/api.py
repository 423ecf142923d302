"""Metrics over HTTP. Readers see only what their token's branches cover."""

from datetime import date
from typing import Any

from reporting.kernel.scopes import READERS, require_scope
from reporting.metrics import schemas
from reporting.metrics.queries.views import metric_view
from reporting.metrics.rules import CODES
from shared.arguments import Blueprint
from shared.errors import NotFound
from shared.languages import Text
from shared.transaction import Tx
from shared.web import admits, query

blueprint = Blueprint("metrics", __name__, tag="reporting")


class MetricNotFound(NotFound):
    code = "metric_not_found"


@blueprint.get(
    "/metrics/<string:code>",
    parameters=[
        {"name": "code", "in": "path", "required": True, "schema": {"type": "string", "enum": list(CODES)}}
    ],
)
@query
@admits(*READERS)
@blueprint.arguments(schemas.ScopeArgs, location="query")
@blueprint.response(200, schemas.MetricView)
def get_metric(tx: Tx, args: dict[str, Any], code: str) -> dict[str, Any]:
    """M1 statement accuracy, M2 satisfaction index, M3 return-visit rate. M1 is always the company's."""
    metric_or_404(code)
    view = metric_view(tx.conn, code, args["month"], require_scope(tx.actor, args["branch_id"]))
    return {**view, "month": args["month"], "revised": _with_month(view["revised"], args["month"])}


def metric_or_404(code: str) -> None:
    """Raises MetricNotFound unless `code` is one of CODES."""
    if code not in CODES:
        raise MetricNotFound(Text("the metrics are {codes}", codes=", ".join(CODES)))


def _with_month(figures: dict[str, Any] | None, month: date) -> dict[str, Any] | None:
    return {**figures, "month": month} if figures else None
